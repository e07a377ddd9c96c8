"""Parses a config and a credentials file with botocore: one line of JSON in, one line of JSON out.

The only argument is a directory for the two files. A request is {"config": text, "credentials": text}. For each file,
the answer contains either the reason why botocore rejects it or its sections with all their options and, if botocore
accepts both files, the combined result of its session. A table is an object, any other value is a string.

`meant` is the same with this project's deliberate differences: the same library's parser, configured to merge
duplicates and trim blanks just inside brackets, without the byte order mark, and with a list of unparseable lines
instead of an error.
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

# Not a valid option name; holds the numbers of lines that cannot be parsed.
BROKEN = "\0broken lines of "


class Meant(configparser.RawConfigParser):
    # The library's pattern, up to the last bracket, but trimming blanks.
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
    """Returns a parser that has read these lines, and the numbers of the lines that cannot be parsed."""
    lines, broken = list(lines), []
    while True:
        parser = Meant()
        try:
            parser.read_string("\n".join(lines))
        except configparser.MissingSectionHeaderError as error:
            # The only error that stops the parser.
            broken.append(error.lineno)
            lines[error.lineno - 1] = ""
            continue
        except configparser.ParsingError as error:
            broken.extend(line for line, _ in error.errors)
        return parser, broken


def section_of(lines, number):
    """Returns the section of this broken line: a broken line is not a continuation, nor is an option in its place."""
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
        # An empty name is an error, but the parser still lists it as an option.
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
    # botocore expects files. The parser reads their contents from memory, because writing files would take longer than
    # everything else.
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
            # Creating a session takes ten milliseconds; clearing its cache has the same effect.
            session._config = None
            answer["both"] = known_kinds(session.full_config)
        both = merged(meant["config"]["sections"], meant["credentials"]["sections"])
        answer["both_meant"] = known_kinds(both)
        print(json.dumps(answer), flush=True)


main(sys.argv[1])
