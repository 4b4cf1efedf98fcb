"""Changes inside the services that let each fit into one process on SQLite, with their reasons.

Each holds for every release; what differs between them is in `releases`. Everything else about the services is set by
their options.
(No example: each changes the process it is called in.)
"""

# ruff: noqa: ANN401, SLF001 - it replaces methods and private names of projects without types

import copy
import importlib
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from hyperx_glance.testing.local import releases
from hyperx_glance.testing.local.layout import Layout

_PORT_WAIT_SECONDS: Final = 120.0
_REST_BYTES: Final = 1 << 16


class _Written(threading.local):
    """The last transaction that this thread began with the write lock."""

    info: dict[str, object] = {}  # noqa: RUF012 - of no transaction
    mark: object = None

    def begin(self, info: dict[str, object], *, writes: bool) -> None:
        info["in_transaction"] = mark = object()  # oslo.db takes it away at the end
        if writes:
            self.info, self.mark = info, mark

    def goes_on(self) -> bool:
        return self.mark is not None and self.info.get("in_transaction") is self.mark


def begin_writers_immediately(begin: Callable[[Any, str], None] | None = None) -> None:
    """Begin each writing transaction with the write lock.

    oslo_db/sqlalchemy/engines.py begins every SQLite transaction with a plain BEGIN. Two that read first and write then
    both want to turn their read lock into the write lock; SQLite refuses one at once with "database is locked",
    regardless of the timeout, and the services do not try again: a server stays in BUILD forever. BEGIN IMMEDIATE makes
    the second wait for its turn. Readers keep the plain BEGIN: in WAL mode they never wait. So does a transaction that
    a thread begins within another of its own, as Glance before 2025.2 does to read the members of an image: it would
    wait for itself. ``begin`` sends the statement in a different way from SQLAlchemy.
    """
    import sqlalchemy
    from oslo_db.sqlalchemy import enginefacade

    written = _Written()

    # A listener on the class runs before oslo.db's own, which is on the engine and stands back when it finds
    # "in_transaction" set.
    @sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "begin")
    def begin_at_once(connection: Any) -> None:
        driver_connection = connection.connection.dbapi_connection
        if (
            connection.dialect.name == "sqlite"
            and getattr(driver_connection, "isolation_level", "") is None  # oslo.db's mark: it begins by itself
            and "in_transaction" not in connection.info
        ):
            reads = connection.get_execution_options().get("sqlite_reader") or written.goes_on()
            statement = "BEGIN" if reads else "BEGIN IMMEDIATE"
            if begin is None:
                connection.exec_driver_sql(statement)
            else:
                begin(driver_connection, statement)
            written.begin(connection.info, writes=not reads)

    # The blocks that services mark as readers, as far as the engine: oslo_db/sqlalchemy/enginefacade.py
    # _TransactionFactory. Without a slave connection both sorts share one engine.
    factory: Any = enginefacade._TransactionFactory
    writer: Final = enginefacade._WRITER
    create_session = factory._create_session
    create_connection = factory._create_connection

    def reader_engine(self: Any) -> Any:
        if not self._started:
            self._start()
        if "_sqlite_reader" not in self.__dict__:
            self._sqlite_reader = self._writer_engine.execution_options(sqlite_reader=True)
        return self._sqlite_reader

    def _create_session(self: Any, mode: object, bind: object = None) -> object:
        if bind is None and mode is not writer:
            bind = reader_engine(self)
        return create_session(self, mode, bind)

    def _create_connection(self: Any, mode: object) -> object:
        return create_connection(self, mode) if mode is writer else reader_engine(self).connect()

    factory._create_session = _create_session
    factory._create_connection = _create_connection


def keep_database_connections() -> None:
    """Keep connections to SQLite, and do not yield to other green threads after each.

    oslo_db/sqlalchemy/engines.py opens a connection for each query "to avoid compatibility issues", and yields when it
    is given back: together a third of the cost of a query.
    """
    import sqlalchemy
    from oslo_db.sqlalchemy import engines

    class Kept(sqlalchemy.pool.QueuePool):
        def __init__(self, creator: Any, **options: Any) -> None:
            super().__init__(creator, **{"pool_size": 8, "max_overflow": -1, **options})

    pools: Any = types.SimpleNamespace(**vars(sqlalchemy.pool))
    pools.NullPool = Kept
    engines.pool = pools
    engines._thread_yield = lambda *_: None


def find_roles_once_a_request(application: WSGIApplication) -> WSGIApplication:
    """Look a token's roles up once for each request that Keystone answers.

    keystone/models/token_model.py reads them from the database at each access, five times a request and for three
    objects of the same token: most of Keystone's work when Glance asks it for limits.
    """
    from keystone.models import token_model

    find: Final = token_model.TokenModel.roles.fget
    request = threading.local()

    def roles(self: Any) -> Any:
        found = getattr(request, "roles", None)
        if found is None or self.audit_id is None:
            return find(self)
        if self.audit_id not in found:
            found[self.audit_id] = find(self)
        return found[self.audit_id]

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request.roles = {}
        return application(environ, start_response)

    token_model.TokenModel.roles = property(roles)
    return answer


def wake_queue_readers() -> None:
    """Wake the readers of oslo.messaging's in-memory queues when a message arrives.

    oslo_messaging/_drivers/impl_fake.py FakeListener.poll looks each 50 ms: a dozen listeners keep a core warm, and
    each hop of a launch waits 25 ms on average.
    """
    from oslo_messaging._drivers import base, impl_fake

    condition = threading.Condition()
    deliver = impl_fake.FakeExchange.deliver_message

    def deliver_message(self: Any, *arguments: object, **keywords: object) -> None:
        deliver(self, *arguments, **keywords)
        with condition:
            condition.notify_all()

    def poll(self: Any, timeout: float | None = None) -> object:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._stopped.is_set():
            with condition:
                for target in self._targets:
                    exchange = self._exchange_manager.get_exchange(target.exchange)
                    context, message, reply_queue, requeue = exchange.poll(target, self._pool)
                    if message is not None:
                        return impl_fake.FakeIncomingMessage(context, message, reply_queue, requeue)
                # FakeListener.stop notifies nobody, so look after a second in any case.
                left = 1.0 if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return None
                condition.wait(min(left, 1.0))
        return None

    impl_fake.FakeExchange.deliver_message = deliver_message
    impl_fake.FakeListener.poll = base.batch_poll_helper(poll)


def keep_connections_after_uploads() -> None:
    """Let a connection carry the next request after an upload; otherwise that request fails with 500 or is cut off.

    Glance closes the request's body when it has stored it (glance/location.py), and cheroot/server.py takes that for
    the end of the connection. And its ChunkedRFile leaves the empty line after the last chunk, and all of a body that
    was refused unread, where the next request begins. (Of a body of known length it reads the rest.)
    """
    server: Any = importlib.import_module("cheroot.server")
    respond = server.HTTPRequest.respond

    def respond_and_finish(self: Any) -> None:
        respond(self)
        if self.chunked_read:
            while self.rfile.read(_REST_BYTES):
                pass
            for _ in self.rfile.read_trailer_lines():
                pass

    server.HTTPRequest.respond = respond_and_finish
    server.ChunkedRFile.close = server.KnownLengthRFile.close = lambda _self: None


def answer_mistakes(application: WSGIApplication) -> WSGIApplication:
    """Answer an exception that a service lets escape with 500, as production servers do, and log it.

    cheroot/server.py would send 500 and close the connection without announcing it: the caller's next request is lost.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except Exception:  # noqa: BLE001 - any error that the service does not handle
            traceback.print_exc()
            text = b"Internal Server Error"
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))]
            start_response("500 Internal Server Error", headers, sys.exc_info())
            return [text]

    return answer


def share_checks_of_policies() -> None:
    """Copy a default rule, but not its parts, when it is registered.

    oslo_policy/policy.py register_default copies trees of checks too, which never change: a third of Glance's start.
    """
    policy: Any = importlib.import_module("oslo_policy.policy")
    policy.copy = types.SimpleNamespace(copy=copy.copy, deepcopy=copy.copy)


def read_saml_schemas_when_asked() -> None:
    """Let Keystone start without reading the XML schemas of SAML, which takes half a second of CPU.

    saml2/xml/schema/__init__.py reads them when it is imported, and Keystone imports it for its federation.
    """
    name: Final = "saml2.xml.schema"

    class XMLSchemaError(Exception):
        """As there."""

    def validate(*arguments: Any, **keywords: Any) -> Any:
        if sys.modules.get(name) is lazy:
            del sys.modules[name]
        return importlib.import_module(name).validate(*arguments, **keywords)

    lazy: Any = types.ModuleType(name)
    lazy.XMLSchemaError, lazy.validate = XMLSchemaError, validate
    sys.modules[name] = lazy


def order_attributes_as_classes_do() -> None:
    """Order the attributes of Glance's metadefs without reading source files.

    wsme/types.py sort_attributes finds the order in the source of each class; since Python 3.6 the class itself has it.
    """
    wsme: Any = importlib.import_module("wsme.types")

    def sort_attributes(class_: type, attributes: list[Any]) -> None:
        declared = list(dict.fromkeys(name for each in class_.__mro__ for name in vars(each)))
        attributes.sort(key=lambda attribute: declared.index(attribute.key))

    wsme.sort_attributes = sort_attributes


def offer_compute_driver(hypervisor: str) -> None:
    """Put our compute driver where Nova looks for it: below nova.virt (nova/virt/driver.py load_compute_driver)."""
    if hypervisor == "qemu":
        from nova.virt import libvirt

        from hyperx_glance.testing.local import libvirt_driver

        run_nova_unprivileged()
        libvirt.LoopbackDriver = libvirt_driver.LoopbackDriver
    else:
        from nova.virt import fake

        from hyperx_glance.testing.local import compute_driver

        fake.LoopbackDriver = compute_driver.LoopbackDriver


def run_nova_unprivileged() -> None:
    """Run the code that Nova would run as root in this process, as this user.

    nova/privsep and os_brick/privileged start a daemon through sudo otherwise; nova/utils.py get_root_helper puts
    "sudo nova-rootwrap" before programs.
    """
    from nova import privsep, utils
    from os_brick import privileged

    privsep.sys_admin_pctxt.set_client_mode(False)
    privileged.default.set_client_mode(False)
    utils.get_root_helper = lambda: "env"


def run_cinder_unprivileged() -> None:
    """Run the code that Cinder would run as root in this process, as this user.

    cinder/privsep and os_brick/privileged start a daemon through sudo otherwise; cinder/utils.py get_root_helper puts
    "sudo cinder-rootwrap" before qemu-img.
    """
    from cinder import privsep, utils
    from os_brick import privileged

    privsep.sys_admin_pctxt.set_client_mode(False)
    privileged.default.set_client_mode(False)
    utils.get_root_helper = lambda: "env"


def read_images_in_cinders_own_threads() -> None:
    """Let Cinder read and write an image's data in the calling thread.

    cinder/image/image_utils.py hands it to eventlet's pool of threads, regardless of the backend. The pool answers to
    the hub of the thread that used it first: every other native thread waits forever, and its volume stays "creating".
    """
    from cinder.image import image_utils

    class Direct:
        @staticmethod
        def Proxy(value: object) -> object:  # noqa: N802 - eventlet's name
            return value

        @staticmethod
        def execute(function: Callable[..., object], *arguments: object, **keywords: object) -> object:
            return function(*arguments, **keywords)

    image_utils.tpool = Direct


def report_each_cinder_service() -> None:
    """Let each Cinder service of this process report under its own id.

    cinder/service.py keeps `Service.service_id` on the class, since it expects one service per process: with two, one
    reports for the other, and the rest are shown as "down".
    """
    from cinder import context, objects, service

    def report_state(self: Any) -> None:
        record = objects.Service.get_by_id(context.get_admin_context(), self.origin_service_id)
        record.report_count += 1
        releases.save_once(record)

    service.Service.report_state = report_state


def wait_for(service: str, layout: Layout) -> None:
    """Wait until a service listens; raise TimeoutError after two minutes."""
    deadline = time.monotonic() + _PORT_WAIT_SECONDS
    while True:
        try:
            socket.create_connection((layout.address, layout.ports[service]), 1).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{service} does not listen") from error
        else:
            return
        time.sleep(0.02)
