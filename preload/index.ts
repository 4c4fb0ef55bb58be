import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron';
import { channels, type Bridge } from '../main/contract/bridge.ts';
import type { ServiceEvent } from '../main/contract/events.ts';

/** All that the page gets of the app. `ipcRenderer` itself stays here: with it a page could speak on any channel. */
const bridge: Bridge = {
  call: (name, request, ticket) => ipcRenderer.invoke(channels.call, name, request, ticket),
  cancel: (ticket) => void ipcRenderer.invoke(channels.cancel, ticket),
  subscribe(listener) {
    const heard = (_: IpcRendererEvent, event: ServiceEvent): void => listener(event);
    ipcRenderer.on(channels.event, heard);
    return () => ipcRenderer.off(channels.event, heard);
  },
};

contextBridge.exposeInMainWorld('holdfast', bridge);
