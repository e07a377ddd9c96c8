"""The AWS CLI as a server: it is imported once, and each call runs in a fork with its own environment and arguments.
Each input line of JSON, {"args": [...], "env": {...}}, produces one output line, {"code": 0, "stdout": "...", "stderr":
"..."}.
"""

import json
import os
import signal
import sys
import tempfile
import traceback

import awscli.clidriver
import awscli.customizations.assumerole

# Imports every customization in advance, which accounts for half of the start-up time.
import awscli.handlers  # noqa: F401
import botocore.credentials
import botocore.tokens

# awscli extends it on import and uses it to find its own models.
DATA_PATH = os.environ["AWS_DATA_PATH"]


def at_home():
    """Resets paths that were derived from HOME at import time."""
    tokens = os.path.expanduser("~/.aws/sso/cache")
    for provider in (botocore.credentials.SSOProvider, botocore.tokens.SSOTokenProvider):
        assert hasattr(provider, "_SSO_TOKEN_CACHE_DIR")
        provider._SSO_TOKEN_CACHE_DIR = tokens
    assert hasattr(awscli.customizations.assumerole, "CACHE_DIR")
    awscli.customizations.assumerole.CACHE_DIR = os.path.expanduser("~/.aws/cli/cache")


def call(args, env, stdout, stderr):
    """In the fork: becomes `aws ARGS`."""
    # Away from the terminal, where it would ask for MFA codes.
    os.setsid()
    signal.alarm(60)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(env, AWS_DATA_PATH=DATA_PATH)
    os.chdir(env["HOME"])
    at_home()
    sys.argv = ["aws", *args]
    code = 255
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 255)


def serve():
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            child = os.fork()
            if child == 0:
                call(request["args"], request["env"], stdout.fileno(), stderr.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            answer = {"code": code}
            for name, file in (("stdout", stdout), ("stderr", stderr)):
                file.seek(0)
                answer[name] = file.read().decode(errors="replace")
        print(json.dumps(answer), flush=True)


serve()
