"""The command `python -m hyperx_glance.testing.local`: a local cloud for a person, until it is stopped.

>>> main(["env", "--user", "nobody"])  # doctest: +ELLIPSIS
Traceback (most recent call last):
...
SystemExit: 2
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import devstack, exposure
from hyperx_glance.testing.local import configuration
from hyperx_glance.testing.local.keystone import ADMINISTRATOR
from hyperx_glance.testing.local.layout import HOST, HYPERVISORS, SERVICES, LocalCloudError
from hyperx_glance.testing.local.local_cloud import LocalCloud
from hyperx_glance.testing.profiles import PROFILES


def default_directory(environment: Mapping[str, str]) -> Path:
    """Return the default directory for the cloud of the command."""
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hyperx-glance" / "local-cloud"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except InvalidRequestError as error:
        print(error, file=sys.stderr)
        return 2
    except (LocalCloudError, ModuleNotFoundError) as error:  # both say what to do
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = exposure.Parser(prog="python -m hyperx_glance.testing.local", description="A real OpenStack on loopback.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = _command(commands, "up", _up, "start the cloud, or check that it runs; it runs until `down`")
    up.add_argument("--hosts", type=int, default=1, help="number of simulated hypervisors (default: 1)")
    up.add_argument(
        "--hypervisor", choices=HYPERVISORS, default="fake", help="hypervisor of servers: none or QEMU (default: fake)"
    )
    up.add_argument("--profile", choices=PROFILES, default="default", help="initial content (default: default)")
    up.add_argument(
        "--ports",
        type=_ports,
        default={},
        metavar="SERVICE=PORT,...",
        help="fixed ports, as keystone=5000,glance=9292 (default: those of the last `up`, or free ones)",
    )
    up.add_argument(
        "--address",
        default=HOST,
        help="address to listen on; everyone who can reach it can use the cloud (default: %(default)s)",
    )
    up.add_argument("--write-devstack", type=Path, metavar="FOLDER", help=devstack.HELP)
    _add_python(up)

    _command(commands, "status", _status, "show each service's port, process and health; fail if one is unhealthy")

    env = _command(commands, "env", _env, 'print the variables of a user; use it as: eval "$(... env --user alice)"')
    people = dict.fromkeys(name for profile in PROFILES.values() for name in profile.people)
    env.add_argument("--user", default=ADMINISTRATOR, choices=[ADMINISTRATOR, *people])

    logs = _command(commands, "logs", _logs, "print the end of the logs")
    logs.add_argument("services", nargs="*", metavar="SERVICE", help="names of services (default: all)")
    logs.add_argument("--lines", type=int, default=50, help="number of lines for each service (default: 50)")

    down = _command(commands, "down", _down, "stop the cloud and remove what it wrote")
    down.add_argument("--keep", action="store_true", help="keep data and logs, for another `up`")

    serve = _command(
        commands,
        "serve",
        _serve,
        "run a fresh cloud behind one port until interrupted; print a clouds.yaml when it is up, and nothing else",
    )
    exposure.add_options(serve)
    serve.add_argument("--profile", choices=PROFILES, default="default", help="initial content (default: default)")
    serve.add_argument("--write-devstack", type=Path, metavar="FOLDER", help=devstack.HELP)
    _add_python(serve)

    demo = _command(
        commands, "demo", _demo, "run the whole demo on a fresh cloud: register, look, launch, edit, delete"
    )
    _add_python(demo)
    return parser


def _add_python(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python",
        type=Path,
        help="run the services installed for another Python, for example of an older release (default: this Python)",
    )


def _command(
    commands: argparse._SubParsersAction[exposure.Parser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    help_text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(run=run)
    if name not in ("serve", "demo"):
        command.add_argument(
            "--directory",
            type=Path,
            default=default_directory(os.environ),
            help="directory for the cloud's data (default: %(default)s)",
        )
    return command


def _ports(text: str) -> dict[str, int]:
    """Read "keystone=5000,glance=9292"."""
    return {service: int(port) for service, port in (each.split("=") for each in text.split(","))}


def _up(chosen: argparse.Namespace) -> int:
    if chosen.write_devstack:
        devstack.check(chosen.write_devstack, chosen.profile)
    cloud = LocalCloud(
        chosen.directory,
        hosts=chosen.hosts,
        hypervisor=chosen.hypervisor,
        python=chosen.python,
        profile=chosen.profile,
        ports=chosen.ports,
        address=chosen.address,
    ).start(detach=True)
    clouds = cloud.directory / "clouds.yaml"
    configuration.replace(clouds, cloud.clouds_yaml())
    if chosen.write_devstack:
        devstack.write(chosen.write_devstack, cloud.clouds_yaml())
    print(
        f"The local cloud is up, OpenStack {cloud.release}: {cloud.auth()['auth_url']}, users {', '.join(cloud.users)}."
    )
    print(f"Its users are clouds of {clouds}: export OS_CLIENT_CONFIG_FILE={clouds}")
    if chosen.write_devstack:
        print(f"DevStack's files are in {chosen.write_devstack}: source {chosen.write_devstack / 'openrc'} admin admin")
    print(f"Logs are in {cloud.directory / 'logs'}.")
    return 0


def _serve(chosen: argparse.Namespace) -> int:
    from hyperx_glance.testing.local.front import Front

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = exposure.chosen(chosen)
    if chosen.write_devstack:
        devstack.check(chosen.write_devstack, chosen.profile)
    cloud = LocalCloud(profile=chosen.profile, python=chosen.python)
    try:
        front = Front(cloud, port=chosen.port, exposure=place)  # before the cloud, which takes seconds
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with cloud:
            if place.is_public:
                exposure.warn(front.told_url)
            if chosen.write_devstack:
                devstack.write(chosen.write_devstack, front.clouds_yaml())
            print(front.clouds_yaml(), end="", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                front.run()
    finally:
        front.close()
    return 0


def _running_cloud(directory: Path) -> LocalCloud:
    cloud = LocalCloud(directory)
    if not cloud.join():
        raise LocalCloudError(f"no local cloud runs in {directory}")
    return cloud


def _status(chosen: argparse.Namespace) -> int:
    cloud = _running_cloud(chosen.directory)
    states = cloud.status()
    print(f"OpenStack {cloud.release}")
    for state in states:
        process = "-" if state.pid is None else state.pid
        print(f"{state.name:<10} port {state.port:>5}  pid {process:>7}  {state.problem or 'healthy'}")
    return 0 if all(state.healthy for state in states) else 1


def _env(chosen: argparse.Namespace) -> int:
    for name, value in _running_cloud(chosen.directory).environment(chosen.user).items():
        print(f"export {name}={value}")
    return 0


def _logs(chosen: argparse.Namespace) -> int:
    names = chosen.services or ["supervisor", *SERVICES]
    cloud = LocalCloud(chosen.directory)
    for name in names:
        print(f"==> {name} <==")
        print(cloud.logs(name, chosen.lines))
    return 0


def _down(chosen: argparse.Namespace) -> int:
    cloud = LocalCloud(chosen.directory)
    if cloud.join():
        cloud.stop()
        print("The local cloud is down.")
    else:
        print("No local cloud was running.")
    if not chosen.keep:
        cloud.remove()
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    from hyperx_glance.testing.local import demo

    return demo.main(chosen.python)


if __name__ == "__main__":
    sys.exit(main())
