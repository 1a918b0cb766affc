"""What the commands for using a lab by hand share: a lab that outlives its command, and the faults that are on."""
import json
import os
import sys

import net
from lab import Lab
from net import BUILD

DEFAULT = os.environ.get("TCPSLEUTH_LAB", "hand")


def folder_of(name):
    return os.path.join(BUILD, "lab", f"by-{name}")


def attached(name):
    """The lab of that name, which is up; it is not taken down when this program ends."""
    if "client" not in net.nodes_of(name):
        up = ", ".join(net.names()) or "none"
        sys.exit(f"there is no lab {name} (up are: {up}); tests/lab/up makes one")
    return Lab(name, folder_of(name))


def faults_on(name):
    """The faults that are on, in order: [fault's name, mark's number, commands to undo it]."""
    try:
        with open(os.path.join(folder_of(name), "faults.json"), encoding="ascii") as file:
            return json.load(file)
    except FileNotFoundError:
        return []


def set_faults_on(name, faults):
    with open(os.path.join(folder_of(name), "faults.json"), "w", encoding="ascii") as file:
        json.dump(faults, file)


def only_root(program):
    if net.missing_root():
        sys.exit(f"{program}: {net.missing_root()}")
