"""All is well, though it does not look so: nothing here may be accused."""
from case import case
from lab import Lab

CURL = ["curl", "-{family}", "-sS", "-o", "/dev/null", "--cacert", "{ca}", "-m", "10"]
WELL = {"client": "ok", "router": "ok", "server": "ok"}

case("chain", "http, 302 to https, 301, the page", client=[CURL + ["-L", "{url}"]], expect=WELL)

case("delayed", "a round trip of 80 ms", wire={"router1-router2": ["delay=40"]}, client=[CURL + ["-L", "{url}"]], expect=WELL)

case("big-offload", "2 MB, segmentation offload on", offload=True, client=[CURL + ["{https}big"]], expect=WELL)

case("big-wire", "2 MB through a wire, offload on", offload=True, wire={"router1-router2": ["delay=5"]}, client=[CURL + ["{https}big"]],
     expect=WELL)

case("one-lost", "one segment of many is lost and sent again", wire={"router1-router2": ["down seq=40000 n=1 drop"]},
     client=[CURL + ["{url}big"]], expect=WELL)
