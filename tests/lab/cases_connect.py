"""Connections that do not come about, and look-ups that fail."""
from case import case

CURL = ["curl", "-{family}", "-sS", "-o", "/dev/null", "-m", "5"]
TIMED_OUT, REFUSED, NO_NAME = 28, 7, 6
UNANSWERED = "broken syn_unanswered"

case("syn-dropped-router2", "router 2 drops the SYN", faults=[("drop", {"node": "router2", "port": 80})],
     client=[CURL + ["{url}"]], status=TIMED_OUT, expect={"client": UNANSWERED, "router": UNANSWERED})

case("syn-dropped-server", "the server's own filter drops the SYN", faults=[("drop", {"node": "server", "port": 80})],
     client=[CURL + ["{url}"]], status=TIMED_OUT, expect={"client": UNANSWERED, "router": UNANSWERED, "server": UNANSWERED})

case("port-closed", "nothing listens on the port", client=[CURL + ["http://{name}:81/"]], status=REFUSED,
     expect={"client": "broken syn_refused", "router": "broken syn_refused", "server": "broken syn_refused"})

case("chain-ok", "http, 302 to https, 301, the page: all is well",
     client=[["curl", "-{family}", "-sSL", "-o", "/dev/null", "--cacert", "{ca}", "-m", "10", "{url}"]],
     expect={"client": "ok", "router": "ok", "server": "ok"})
