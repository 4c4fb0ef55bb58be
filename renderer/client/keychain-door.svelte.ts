/** Whether the question that opens the keychain stands above the page; whoever meets a locked one may ask it. */
class KeychainDoor {
  asked = $state(false);
}

export const keychainDoor = new KeychainDoor();
