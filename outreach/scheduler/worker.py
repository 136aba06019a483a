"""A worker process: more hands for sending, as ``python -m outreach.scheduler.worker``.

Any number may be started, on any number of machines, beside schedulers that send too: each
text is claimed by one of them. A small installation needs none.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from config import Config
from outreach import garbage, logs, orm, same_time, tables, traces, versions
from outreach.clock import Clock, NoTimeZones, need_time_zones, utc_now
from outreach.messaging.jobs import send_due_messages, send_in_turn
from outreach.orm import Sessions
from outreach.telephony.carrier import carrier_of
from outreach.telephony.gateway import TelephonyGateway
from outreach.upkeep import fitting
from outreach.upkeep.fitting import KeysDontFit

log = logging.getLogger("outreach.scheduler.worker")  # run as a program, its name is __main__

IDLE_SECONDS = 2.0


class Worker:
    """Sends what is due, again and again, until told to stop.

    What waits for its turn, which may take hours, goes out beside the rest.
    """

    def __init__(
        self,
        sessions: Sessions,
        gateway: TelephonyGateway,
        clock: Clock,
        machines_clock: Clock = utc_now,
    ) -> None:
        self._sessions, self._gateway, self._clock = sessions, gateway, clock
        self._machines_clock = machines_clock
        self._stopping = threading.Event()

    def run(self, idle: Callable[[float], object] | None = None) -> None:
        """Send until told to stop; a round that fails is logged, and another one follows."""
        wait = idle or self._stopping.wait
        in_turn = threading.Thread(target=self._repeat, args=(send_in_turn, self._stopping.wait))
        in_turn.start()
        try:
            self._repeat(send_due_messages, wait)
        finally:
            self._stopping.set()
            in_turn.join()

    def _repeat(self, send: Callable[..., int], wait: Callable[[float], object]) -> None:
        while not self._stopping.is_set():
            try:
                if self._may_send():
                    with traces.span("job send"):
                        send(self._sessions, self._gateway, self._clock, go_on=self.goes_on)
            except Exception:
                log.exception("sending failed")
            wait(IDLE_SECONDS)

    def _may_send(self) -> bool:
        with orm.reading(), self._sessions() as session:
            connection = session.connection()
            words = same_time.trouble(connection, self._machines_clock())
            words = words or versions.trouble(connection)
        if words:
            log.error("%s Nothing is sent.", words)
        return not words

    def goes_on(self) -> bool:
        """Say whether more may be claimed."""
        return not self._stopping.is_set()

    def stop(self, *_signal: int | FrameType | None) -> None:
        """Stop once what is on its way to the carrier is answered and stored."""
        self._stopping.set()


def main() -> None:
    """Send for this installation until told to stop."""
    config = Config.from_environment()
    logs.begin("worker", as_json=config.logs_are_json)
    try:
        need_time_zones()
        fitting.begin(config)
    except (KeysDontFit, NoTimeZones) as error:
        sys.exit(str(error))
    traces.begin("worker", config.traces_url)
    engine = orm.make_engine(config.database_url)
    log.debug("tables: %s", len(tables.ALL))
    worker = Worker(orm.make_sessions(engine), carrier_of(config), utc_now)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    garbage.leave_what_is_loaded()  # looking through it took a sixth of sending
    worker.run()
    engine.dispose()
    traces.end()


if __name__ == "__main__":
    main()
