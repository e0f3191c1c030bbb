"""A payer: walks PAYBOX's pages as a browser without script does, and comes back."""

import html
import http.client
import re
import time
import urllib.parse

ACCEPTED = "1111222233334444"
REFUSED = "4970100000000154"
PATIENCE = 20


class Payer:
    def __init__(self, bench, issued, page=None):
        """Before the card page: by the form, or by that of the `page` behind a link."""
        self.host = bench.sandbox["page"].removeprefix("http://")
        if page is None:
            fields = [(field["name"], field["value"]) for field in issued["form"]["fields"]]
        else:
            inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
            fields = [(name, html.unescape(value)) for name, value in inputs]
        self.path = self._post("/php/", fields).headers["location"]

    def _post(self, path, fields):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request(
            "POST", path, urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def look(self):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request("GET", self.path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def pay(self, card=ACCEPTED):
        """Types a card, and passes the challenge when one is asked."""
        typed = {"NUMERO_CARTE": card, "MOIS_VALIDITE": "12", "AN_VALIDITE": "40", "CVVX": "123", "ACTION": "VALIDER"}
        self._post(f"{self.path}/card", typed)
        challenge = re.search(r'id="code_attendu">([^<]+)<', self.look())
        if challenge:
            self._post(f"{self.path}/authentification", {"CODE": challenge[1], "ACTION": "VALIDER"})


def token(issued):
    """The secret part of a payment link."""
    return issued["redirect"].rsplit("/", 1)[1]


def until(what, is_so):
    """Waits for what must come."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = is_so()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never {what}")
