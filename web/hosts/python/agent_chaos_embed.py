"""Experiments of Agent Chaos Playground in MkDocs and in Sphinx.

A block of a text stands for an experiment::

    exp-002                      a preset, or the token of a link
    set: workers.count=6         and what an embed may be told, a line each
    charts: queue

MkDocs reads it in a fence (``fence``, for pymdownx.superfences), Sphinx in a directive
(``setup``). ``embedding.md`` shows what to paste.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

__version__ = "0.1.0"

NAMES = ["preset", "set", "seed", "link", "view", "charts", "lock", "free", "ask", "seeds", "vs", "theme", "heading", "verdict", "playground"]
OWN = ["as", "height"]
SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox"


class BlockError(ValueError):
    """A block that was refused: the line, what was found there, and what is accepted."""


def read(text: str) -> dict[str, list[str]]:
    """The lines of a block, by their names."""
    given: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            _read_line(line, given)
        except BlockError as error:
            raise BlockError(f"line {number}: {error}") from None
    if not set(given) - set(OWN):
        raise BlockError("found nothing, accepted: a preset, or lines of the form name: value")
    return given


def _read_line(line: str, given: dict[str, list[str]]) -> None:
    named = re.match(r"([a-z]+):(.*)$", line, re.ASCII)
    if named:
        name, value = named[1], named[2].strip()
    elif re.search(r"\s", line):
        raise BlockError(f'found "{line}", accepted: name: value')
    else:
        name, value = ("link" if line.startswith("v1") else "preset"), line
    if name == "as" and value not in ("element", "frame"):
        raise BlockError(f'as: found "{value}", accepted: element, frame')
    if name == "height" and not (re.fullmatch(r"[0-9]{1,9}", value) and 100 <= int(value) <= 5000):
        raise BlockError(f'height: found "{value}", accepted: 100 to 5000 pixels')
    if name not in NAMES and name not in OWN:
        raise BlockError(f'found "{name}", accepted: {", ".join(NAMES + OWN)}')
    if name in given and name not in ("vs", *OWN):
        raise BlockError(f"{name}: found it twice, accepted: it once")
    given.setdefault(name, []).append(value)


def _encoded(value: str) -> str:
    return quote(value, safe="-._").replace("~", "%7E")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;")


def token(given: dict[str, list[str]]) -> str:
    """The token of a link to the experiment."""
    if "link" in given:
        return given["link"][0]
    parts = ["v1." + given.get("preset", ["exp-002"])[0]]
    for change in given.get("set", [""])[0].split("~"):
        if change := change.strip():
            path, _, value = change.partition("=")
            parts.append(f"{path}={_encoded(value)}")
    if "seed" in given:
        parts.append("seed=" + _encoded(given["seed"][0]))
    return "~".join(parts)


def is_frame(given: dict[str, list[str]]) -> bool:
    return given.get("as", ["element"])[-1] == "frame"


def render(given: dict[str, list[str]], site: str) -> str:
    """The HTML in the place of a block, on one line."""
    inside = _frame(given, site) if is_frame(given) else _element(given, site)
    return f'<div class="agent-chaos">{inside}</div>'


def _element(given: dict[str, list[str]], site: str) -> str:
    attributes = "".join(f' {name}="{_escaped("|".join(given[name]))}"' for name in NAMES if name in given)
    address = _escaped(f"{site}#{token(given)}")
    return f'<agent-chaos{attributes}><a href="{address}">Run this experiment in the playground</a></agent-chaos>'


def _frame(given: dict[str, list[str]], site: str) -> str:
    query = "&".join(f"{name}={_encoded(value)}" for name in NAMES if name in given and name != "link" for value in given[name])
    address = site + "embed.html" + (f"?{query}" if query else "") + (f"#{given['link'][0]}" if "link" in given else "")
    title = given.get("heading") or given.get("preset")
    title = f"Experiment: {title[0]}" if title else "An experiment"
    size = f"height:{int(given['height'][-1])}px" if "height" in given else "aspect-ratio:16/10;min-height:24rem"
    return (
        f'<iframe src="{_escaped(address)}" title="{_escaped(title)}" sandbox="{SANDBOX}" loading="lazy"'
        f' style="width:100%;{size};border:0"></iframe>'
    )


def script(site: str) -> str:
    """The script that a page with elements needs; it does nothing the second time."""
    return f'<script type="module" src="{_escaped(site)}agent-chaos.js"></script>'


def site_of(site: str) -> str:
    """The address of the playground, with a slash at its end."""
    folder = re.split(r"[?#]", site)[0].rstrip("/")
    if not folder or re.search(r"\s", site):
        raise BlockError(f'site: found "{site}", accepted: the address of the playground')
    return folder + "/"


def fence(site: str):
    """A formatter for pymdownx.superfences."""
    from pymdownx.superfences import SuperFencesException

    def formatter(source, language, css_class, options, md, **_):
        try:
            given = read(source)
            return render(given, site_of(site)) + ("" if is_frame(given) else script(site_of(site)))
        except BlockError as error:
            # Any other exception would leave the block as it is.
            raise SuperFencesException(f"agent-chaos: {error}") from error

    return formatter


def setup(app):
    """The directive ``agent-chaos`` for Sphinx; ``agent_chaos_site`` in conf.py is the address of the playground."""
    from docutils import nodes
    from docutils.parsers.rst import directives
    from sphinx import addnodes
    from sphinx.util.docutils import SphinxDirective

    class AgentChaos(SphinxDirective):
        required_arguments = 0
        optional_arguments = 1
        final_argument_whitespace = True
        has_content = True
        # Options are the lines of a block; of those that may be there more than once, variants go into the content.
        option_spec = {name: directives.unchanged_required for name in NAMES + OWN}

        def run(self):
            lines = list(self.arguments) + [f"{name}: {value}" for name, value in self.options.items()] + list(self.content)
            try:
                site = site_of(self.config.agent_chaos_site)
                given = read("\n".join(lines))
            except BlockError as error:
                raise self.error(f"agent-chaos: {error}") from error
            markup = render(given, site) + ("" if is_frame(given) else script(site))
            # What cannot run it has a link to it.
            link = nodes.reference("", "Run this experiment in the playground", refuri=f"{site}#{token(given)}")
            elsewhere = addnodes.only("", nodes.paragraph("", "", link), expr="not html")
            return [nodes.raw("", markup, format="html"), elsewhere]

    app.add_config_value("agent_chaos_site", "", "html")
    app.add_directive("agent-chaos", AgentChaos)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
