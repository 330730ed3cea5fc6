"""What each code means, for `wardround explain CODE`: why it is refused and how to mend it.

Codes of problems in files are explained here. Codes of errors are explained by the docstring of their class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.errors import UsageError, WardroundError
from wardround.load.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXTS: Final[dict[str, str]] = {
    "WR-104": """Unknown key.

The file holds a key that wardround does not know at this place, mostly a misspelling or a wrong
indentation. Unknown keys are never ignored: what was meant to protect a host would silently not
be done.""",
    "WR-105": """Missing key.

Something must be said here and is not. The message names the key, the remedy the place where it
belongs.""",
    "WR-106": """Wrong type.

A text stands where a number belongs, a single word where a list belongs, and the like. Nothing is
converted: a version written as 1.10 without quotes is the number 1.1. Write texts that look like
numbers in quotes, switches as true or false, lists as [one, two].""",
    "WR-107": """Value not allowed.

The value has the right type but is none of those that may stand here: a misspelt word, an address
that is none, a date that does not exist. The remedy lists what is allowed.""",
    "WR-108": """Out of range.

A number is too large or too small, or a text or list too long or too short. The remedy names the
limit.""",
    "WR-109": """Bad name.

Names become host names, variable names and file names, so only few characters are allowed:
lower-case letters, digits and underscores (hyphens instead of underscores for hosts).""",
    "WR-110": """File cannot be read.

It does not exist, is a folder or a device, or you have no permission.""",
    "WR-111": """File too large.

A manifest of 10,000 hosts has about 2 MB. A file over 10 MB or a million entries is something
else by mistake, and would only exhaust this machine's memory.""",
    "WR-112": """Not UTF-8.

The file was saved in another encoding, mostly by an older Windows editor. Save it as UTF-8.""",
    "WR-113": """Character not allowed.

The file holds a character that nobody can see: a control character, a zero-width space, or a
bidirectional control, which makes a line look different from what it says. The excerpt shows it
escaped. They mostly come from copying out of a web page or a word processor: type the text again.""",
    "WR-114": """Not valid YAML.

The text cannot be understood from this place on; what follows was not read. Mostly an
indentation, an unclosed quote or bracket, a tab, or a value with a colon in it that needs quotes.""",
    "WR-115": """Tag not allowed.

YAML tags such as !!python/object or !vault make a reader build something other than plain data,
which is how YAML files run commands. Remove the tag. Secrets belong into the hospital's
secrets.yml, encrypted as a whole by ansible-vault.""",
    "WR-116": """Key given twice.

Most YAML readers keep the last of two equal keys and forget the first without a word; a host
would vanish. Keep one.""",
    "WR-117": """Alias not allowed here.

An alias (*name) repeats what an anchor (&name) stands for. This one names no anchor above it,
stands inside what it repeats, or all aliases together stand for more than 100,000 values, as a
file made to exhaust memory would.""",
    "WR-118": """Merge key not allowed.

"<<: *name" mixes the keys of one mapping into another, so that nobody sees at a host what is true
for it. Write the keys out.""",
    "WR-119": """Nested too deeply.

No file of wardround needs more than a handful of levels; 64 are allowed. A bracket is probably
missing or repeated.""",
    "WR-120": """More than one document.

A line "---" starts a second document in the same file, which would be ignored. Use a file for
each.""",
    "WR-121": """Key is not a text.

YAML allows numbers, switches, lists and mappings as keys; wardround does not. Write the key in
quotes.""",
    "WR-122": """File is empty.

It holds nothing, or comments only.""",
    "WR-123": """Too many mistakes.

Only the first ones are listed; the file is probably not what it should be. Mend those, then run
the verb again.""",
    "WR-131": """Subnets overlap.

Two zones share addresses, so a packet's zone could not be told from its address and no filter
between them would hold.""",
    "WR-132": """Address outside its subnet.

A host, gateway or control node has an address that its zone does not contain. Either the address
or the zone is wrong.""",
    "WR-133": """Address used twice.

Two hosts claim one address; only one of them can be reached, and the flows of both would be
opened for it.""",
    "WR-134": """MAC address used twice.

Two hosts claim one network card. Compare with the asset list; one of the entries was probably
copied.""",
    "WR-135": """Mandatory parameter missing.

An architecture asks a question that only the hospital can answer. Answer it under
parameters.<architecture>.""",
    "WR-136": """Wrong number of hosts.

An architecture needs at least, or allows at most, so many hosts of a component; without them it
does not work as designed.""",
    "WR-137": """Unknown window.

A host waits for a change window that is not defined under windows, so nothing could ever be
restarted on it.""",
    "WR-138": """Asset without an answer that its architecture needs.

Nobody may change a clinical asset without somebody who answers for it, a time at which that may
be done, a rule for restarts, and, for assets of high criticality, a way to work on by hand (IEC
80001-1). Of medical devices an architecture can also ask for MAC address, model, end of support,
AE title, or where their connection was approved.""",
    "WR-139": """Unknown component.

The host is of a kind that no pinned architecture describes. Mostly a misspelling, or the
architecture is not pinned.""",
    "WR-140": """Zone does not fit.

A zone is not part of any pinned architecture, is required but has no subnet, has no room, or a
host stands in a zone that its component may not be in.""",
    "WR-141": """Unknown parameter.

The manifest answers a question that no pinned architecture asks. Mostly a misspelling.""",
    "WR-142": """Parameter value not allowed.

The architecture restricts the parameter by type, pattern, limits or choices; `wardround
architecture show NAME` lists them.""",
    "WR-143": """Address is reserved.

The network's own, its broadcast and its gateway's address cannot be a host's. Only a host that is
the gateway itself may be known by a gateway's address.""",
    "WR-144": """Unknown owner.

The host's owner is not among the contacts, so nobody could be asked before a change.""",
    "WR-145": """Port known only from the device.

A flow goes to a port that differs between device models. Name the model of each device in the
manifest; reference_architectures/device_models.yml records each model's ports, with the document
in which the manufacturer says so.""",
    "WR-146": """Architecture names what is not declared.

A reference architecture mentions a role, component, zone, service, parameter or flow that neither
it nor one that it requires declares, or declares something a second time.""",
    "WR-147": """Unknown time zone.

Windows are in the hospital's own time. Use a name of the IANA database such as Europe/Berlin,
never an offset: offsets know no summer time.""",
    "WR-148": """Architectures disagree about a zone.

Two architectures of one hospital give a zone of the same name another purpose or kind. Hosts of
both would stand in one subnet although nobody meant that. Describe it in the same words in both, or
give one of them another name.""",
    "WR-149": """Architectures disagree about an order of roles.

An architecture asks for one role before another, and one that it requires for the other way round.
Order the roles of a required architecture as it does; your own may stand anywhere among them.""",
    "WR-150": """Architecture or version does not exist.

A pin names an architecture, or a version of it, that has no folder
reference_architectures/<name>/<x.y.z>/.""",
    "WR-151": """Architecture lies in the wrong folder.

Name and version inside architecture.yml must be those of its folder; mostly a new version was
copied and not renumbered.""",
    "WR-152": """Two versions of one architecture.

A hospital has one version of each architecture. Two ways, both named in the message, lead to
different ones. Pin the same on both, or take a composite that does.""",
    "WR-153": """Requirements go round in a circle.

An architecture requires itself through others, so there is no order in which they could be
applied. The message names the circle.""",
    "WR-154": """Not a plain file.

A folder that is digested holds a symbolic link, a device, or a name with unusual characters. A
link would let content from elsewhere pass under the digest of this folder.""",
    "WR-155": """released.lock is damaged.

Only `wardround architecture release` writes it: a line for each file, a SHA-256, two spaces, a
path, sorted. Restore it from version control.""",
    "WR-156": """Pins what is not released.

A released version never changes, so all that it pins must be released first.""",
    "WR-157": """Hospital lies in another hospital's folder.

The ledger, locks and plans go by the name in the manifest. A copied folder with the old name
inside would mix two hospitals up.""",
}


def explain(code: str) -> str:
    """Give the explanation of a code.

    Raises:
        UsageError: no such code exists.

    """
    known = explanations()
    if code.upper() in known:
        return known[code.upper()]
    meant = did_you_mean(code.upper(), known)
    hint = f', did you mean "{meant}"?' if meant else ""
    raise UsageError(f'code "{code[:20]}" does not exist{hint}', remedy="codes look like WR-104")


def explanations() -> dict[str, str]:
    """Give every explanation by its code, sorted; errors of rooms that are not imported are not among them."""
    errors = {error.code: error.__doc__ or "" for error in _error_classes(WardroundError) if "code" in vars(error)}
    return dict(sorted({**{code: _paragraphs(text) for code, text in errors.items()}, **_TEXTS}.items()))


def _error_classes(parent: type[WardroundError]) -> Iterator[type[WardroundError]]:
    yield parent
    for child in parent.__subclasses__():
        yield from _error_classes(child)


def _paragraphs(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.strip().splitlines())
