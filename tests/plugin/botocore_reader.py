"""botocore reads a config and a credentials file: a line of JSON in, a line of JSON out.

The one argument is a directory for the two files. A request is {"config": text, "credentials": text}. The answer has,
for each of the files, why botocore refuses it, or its sections with all their options; and for the pair, where botocore
refuses neither, what its session makes of both. A table is an object, any other value is a string.

`meant` is the same with what the reader of this project does otherwise on purpose: the parser of the same library, told
to join what stands twice and to cut the blanks just inside brackets, without the byte order mark, and with the lines
that it cannot parse named in place of a refusal.
"""

import configparser
import io
import json
import os
import re
import sys

import botocore.configloader as configloader
import botocore.session
from botocore.exceptions import ConfigParseError

# No option is called so: these hold the numbers of lines that cannot be parsed.
BROKEN = "\0broken lines of "


class Meant(configparser.RawConfigParser):
    # As the library has it, up to the last bracket, but for the blanks.
    SECTCRE = re.compile(r"\[(?=.+\])[ \t]*(?P<header>.*?)[ \t]*\](?!.*\])")

    def __init__(self):
        super().__init__(strict=False)


def refusal(error):
    if isinstance(error, configparser.ParsingError) and not isinstance(error, configparser.MissingSectionHeaderError):
        lines = [line for line, _ in error.errors]
    else:
        lines = [error.lineno] if hasattr(error, "lineno") else []
    return {"kind": type(error).__name__, "lines": lines}


def strictly(path):
    try:
        return {"refused": None, "sections": configloader.raw_config_parse(path)}
    except ConfigParseError as error:
        return {"refused": refusal(error.kwargs["error"]), "sections": None}


def parsed_as_meant(lines):
    """A parser that has read these lines, and the numbers of those that it cannot read."""
    lines, broken = list(lines), []
    while True:
        parser = Meant()
        try:
            parser.read_string("\n".join(lines))
        except configparser.MissingSectionHeaderError as error:
            # The only one that ends the reading.
            broken.append(error.lineno)
            lines[error.lineno - 1] = ""
            continue
        except configparser.ParsingError as error:
            broken.extend(line for line, _ in error.errors)
        return parser, broken


def section_of(lines, number):
    """The section that this broken line stands in: a broken line continues nothing, and neither does an option there."""
    line = lines[number - 1]
    indentation = line[: len(line) - len(line.lstrip())]
    parser, _ = parsed_as_meant(lines[: number - 1] + [indentation + "\0here = x"])
    if "\0here" in parser.defaults():
        return "DEFAULT"
    return next((name for name in parser.sections() if "\0here" in parser.options(name)), None)


def as_meant(text, file):
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parser, broken = parsed_as_meant(lines)
    sections = {}
    for name in parser.sections():
        # An empty name is an error, and an option to the parser all the same.
        options = [option for option in parser.options(name) if option]
        sections[name] = {option: value(parser.get(name, option)) for option in options}
    for number in broken:
        where = section_of(lines, number)
        for name in sections if where == "DEFAULT" else [where] if where is not None else []:
            sections[name].setdefault(BROKEN + file, []).append(number)
    return {"sections": sections, "broken": broken}


def value(text):
    if not text.startswith("\n"):
        return text
    try:
        return configloader._parse_nested(text)
    except ValueError:
        return None


def merged(config, credentials):
    """What `Session.full_config` does."""
    config = configloader.build_profile_map(config)
    for name, options in credentials.items():
        config["profiles"].setdefault(name, {}).update(options)
    return config


def known_kinds(config):
    return {kind: config.get(kind, {}) for kind in ("profiles", "sso_sessions", "services")}


def opened_in_memory(contents):
    def opened(path, encoding=None):
        return io.TextIOWrapper(io.BytesIO(contents[path].encode()), encoding=encoding)

    return opened


def main(directory):
    paths = {file: os.path.join(directory, file) for file in ("config", "credentials")}
    os.environ["AWS_CONFIG_FILE"] = paths["config"]
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = paths["credentials"]
    session = botocore.session.Session()
    # botocore wants files. What the parser opens is in memory, because to write a file takes longer than all the rest.
    contents = {}
    configparser.open = opened_in_memory(contents)
    for path in paths.values():
        open(path, "wb").close()
    for request in sys.stdin:
        request = json.loads(request)
        answer, meant = {}, {}
        for file, path in paths.items():
            contents[path] = request[file]
            answer[file] = strictly(path)
            meant[file] = as_meant(request[file], file)
            answer[file]["meant"] = meant[file]
        answer["both"] = None
        if not answer["config"]["refused"] and not answer["credentials"]["refused"]:
            # A session takes ten milliseconds to make, and to forget what it has read is all that a new one would do.
            session._config = None
            answer["both"] = known_kinds(session.full_config)
        both = merged(meant["config"]["sections"], meant["credentials"]["sections"])
        answer["both_meant"] = known_kinds(both)
        print(json.dumps(answer), flush=True)


main(sys.argv[1])
