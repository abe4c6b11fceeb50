"""Two pages of the chat in headless Chromium, which is driven over its debugging pipe.

usage: chat_browser.py URL SPKI...

Each SPKI is the SHA-256 of the key, in hexadecimal, of a certificate that Chromium shall trust: those and no others,
which setIgnoreCertificateErrors cannot say, and without certutil, which a database of authorities would need. It says
what it sees, a line each, and opens the second page when a line of input has come.
"""
import base64
import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 25  # seconds for everything together


class Browser:
    def __init__(self, keys):
        self.profile = tempfile.mkdtemp(prefix="livetls-chromium-")
        self.unread, self.events, self.last_id = b"", [], 0
        self.deadline = time.monotonic() + PATIENCE
        read_commands, self.commands = os.pipe()
        self.answers, write_answers = os.pipe()
        trusted = ",".join(base64.b64encode(bytes.fromhex(key)).decode() for key in keys)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
                 "--user-data-dir=" + self.profile, "--ignore-certificate-errors-spki-list=" + trusted]
        # It reads commands from descriptor 3 and writes answers to 4.
        script = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
        self.process = subprocess.Popen(["bash", "-c", script, "chromium"] + flags, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        pass_fds=(read_commands, write_answers))
        os.close(read_commands)
        os.close(write_answers)

    def next_message(self, wanted):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.answers], [], [], max(0, self.deadline - time.monotonic()))
            piece = os.read(self.answers, 65536) if ready else b""
            if not piece:
                raise RuntimeError(f"Chromium says nothing; waiting for {wanted}")
            self.unread += piece
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.last_id += 1
        command = {"id": self.last_id, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.next_message(f"{method} {params}")
            if message.get("id") == self.last_id:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, event, session):
        """The event's parameters, also of one that has come before."""
        while True:
            for message in self.events:
                if message.get("method") == event and message.get("sessionId") == session:
                    self.events.remove(message)
                    return message["params"]
            self.events.append(self.next_message(event))

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """In a context of its own, as another person's browser: it shares no connection and no session."""

    def __init__(self, browser, url):
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Page.enable", self.session)
        browser.call("Network.enable", self.session)  # without it, getCertificate knows none
        error = browser.call("Page.navigate", self.session, url=url).get("errorText")
        if error:
            raise RuntimeError(f"{url}: {error}")
        browser.wait_for("Page.loadEventFired", self.session)
        leaf = browser.call("Network.getCertificate", self.session, origin=url)["tableNames"][0]
        self.served = hashlib.sha256(base64.b64decode(leaf)).hexdigest()

    def evaluate(self, script):
        result = self.browser.call("Runtime.evaluate", self.session, expression=script, awaitPromise=True,
                                   returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def text(self, element):
        return self.evaluate(f"document.getElementById('{element}').textContent")

    def wait_for_text(self, element, text):
        self.evaluate(f"""new Promise(resolve => {{
            const look = () => document.getElementById('{element}').textContent.includes({json.dumps(text)})
                ? resolve() : requestAnimationFrame(look);
            look();
        }})""")

    def certificates(self):
        """The one that Chromium saw when it loaded the page, and what the chat says of its socket's."""
        return f"page {self.served}, socket: {self.text('certificate')}"

    def say(self, text):
        self.evaluate(f"document.getElementById('text').value = {json.dumps(text)};"
                      "document.getElementById('entry').requestSubmit()")


def main(url, *keys):
    browser = Browser(keys)
    try:
        ada = Page(browser, url + "?name=Ada")
        ada.wait_for_text("people", "Ada")
        print("Ada:", ada.certificates(), flush=True)
        sys.stdin.readline()
        bob = Page(browser, url + "?name=Bob")
        bob.wait_for_text("people", "Ada, Bob")
        print("Bob:", bob.certificates(), flush=True)
        eve = Page(browser, url + "?name=" + 200 * "E")
        eve.wait_for_text("people", "Bob, " + 40 * "E")
        eve.evaluate("socket.send(new Uint8Array([255]))")  # no text, and none to be told to the others
        eve.wait_for_text("people", "Connecting again")
        ada.say("still <b>here</b>")
        bob.wait_for_text("messages", "Adastill <b>here</b>")
        bob.say("welcome")
        ada.wait_for_text("messages", "Bobwelcome")
        print("Ada, after it:", ada.certificates(), flush=True)
    finally:
        browser.close()


main(*sys.argv[1:])
