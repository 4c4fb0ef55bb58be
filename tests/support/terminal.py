"""Runs a command on a terminal of its own and types into it.

Standard input: one JSON object {argv, env, steps: [{expect, sendHex, browse}], limit}. For each step it waits until `expect` has been printed
after the step before, then types the bytes; with `browse`, in front of them, where the last link on a line of its own redirects to. Standard output: one JSON object {code, transcript, echoWhileAsked}.
"""
import http.client, json, os, pty, re, select, sys, termios, time, urllib.parse



def redirect_of(link):
    url = urllib.parse.urlsplit(link)
    browser = http.client.HTTPConnection(url.netloc)
    browser.request("GET", f"{url.path}?{url.query}")
    return browser.getresponse().getheader("location").encode()


job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    try:
        os.execvpe(job["argv"][0], job["argv"], {**os.environ, **job["env"]})
    finally:
        os._exit(127)

transcript = b""
seen = 0
echo = []
steps = list(job["steps"])
deadline = time.monotonic() + job.get("limit", 60)
while time.monotonic() < deadline:
    if steps and steps[0]["expect"].encode() in transcript[seen:]:
        step = steps.pop(0)
        seen = transcript.index(step["expect"].encode(), seen) + len(step["expect"].encode())
        # The prompt is printed before the echo is switched off; a person is never that quick.
        while step.get("quiet", True) and termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < deadline:
            time.sleep(0.005)
        echo.append(bool(termios.tcgetattr(terminal)[3] & termios.ECHO))
        if step.get("browse"):
            os.write(terminal, redirect_of(re.findall(r"^ *(http://\S+)\r$", transcript.decode(), re.M)[-1]))
        os.write(terminal, bytes.fromhex(step["sendHex"]))
        continue
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if not ready:
        continue
    try:
        piece = os.read(terminal, 65536)
    except OSError:  # EIO: the last process has left the terminal
        break
    if not piece:
        break
    transcript += piece
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
json.dump({"code": os.waitstatus_to_exitcode(status), "transcript": transcript.decode("utf-8", "replace"), "echoWhileAsked": echo}, sys.stdout)
