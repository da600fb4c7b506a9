"""kafka.py - one Apache Kafka broker (KRaft, a single node) on loopback, for the tests and for `./dev kafka`.

    broker = Broker(folder)      # a free port unless told; the folder holds configuration, log and data
    broker.start()               # formats the folder the first time; returns when clients are answered
    broker.bootstrap             # '127.0.0.1:PORT'
    broker.kill9(); broker.start()      # a crash, and recovery on the same port and data
    broker.pause(); broker.resume()     # a hung broker
    broker.stop()

    broker = Broker(folder, security=Security(authority.ca, server_pem))    # more listeners, with TLS and SASL
    broker.address('SASL_SSL')   # '127.0.0.1:PORT' of one of them; broker.bootstrap stays the plain one

The jars are those of tests/kafka/pom.xml, which ./dev fetches.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

CLUSTER_ID = 'Y2l0eWxha2UtdGVzdC0wMQ'

# Small and quick rather than robust: one node, few threads, no waiting for a second member of a group.
SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{more}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{more}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
log.dirs={folder}/data
num.partitions=4
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
background.threads=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=4194304
log.segment.bytes=268435456
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
auto.create.topics.enable={auto_create}
"""

# Of one more listener; PEM stores hold key and certificates in one file.
LISTENER_TLS = """\
listener.name.{name}.ssl.keystore.type=PEM
listener.name.{name}.ssl.keystore.location={keystore}
listener.name.{name}.ssl.truststore.type=PEM
listener.name.{name}.ssl.truststore.location={ca}
listener.name.{name}.ssl.client.auth={client_auth}
"""

LISTENER_SASL = """\
listener.name.{name}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain_users};
listener.name.{name}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
"""

LOG4J_PROPERTIES = """\
status=error
rootLogger.level=warn
rootLogger.appenderRef.file.ref=FILE
appender.file.type=File
appender.file.name=FILE
appender.file.fileName={folder}/broker.log
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c{{1}} %m%n
logger.server.name=kafka.server
logger.server.level=info
"""


class BrokerError(Exception):
    """The broker did not start; the message ends with what it logged."""


def free_port():
    """A loopback port that nobody listens on now."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def jars_folder():
    """Where ./dev put the jars of tests/kafka/pom.xml."""
    dev = Path(__file__).resolve().parents[2] / 'dev'
    folder = Path(subprocess.run([dev, 'where', 'kafka'], check=True, capture_output=True, text=True).stdout.strip())
    if not any(folder.glob('kafka_*.jar')):
        raise BrokerError(f'no Kafka jars in {folder}: `./dev deps` fetches them')
    return folder


@dataclass
class Security:
    """What the secured listeners show and take."""
    ca: Path                     # who signs clients' certificates
    keystore: Path               # the broker's key and certificate
    other_keystores: dict = field(default_factory=dict)  # a further TLS listener's name -> its keystore
    users: dict = field(default_factory=lambda: {'city': 'secret'})  # for PLAIN and SCRAM

    def listeners(self):
        """Name -> (protocol, keystore or None, client authentication)."""
        return {'SSL': ('SSL', self.keystore, 'none'), 'MTLS': ('SSL', self.keystore, 'required'),
                'SASL_SSL': ('SASL_SSL', self.keystore, 'none'), 'SASL_PLAINTEXT': ('SASL_PLAINTEXT', None, 'none'),
                **{name: ('SSL', keystore, 'none') for name, keystore in self.other_keystores.items()}}

    def properties(self):
        users = ' '.join(f'user_{name}="{password}"' for name, password in self.users.items())
        text = ''
        for name, (protocol, keystore, client_auth) in self.listeners().items():
            if keystore:
                text += LISTENER_TLS.format(name=name.lower(), keystore=keystore, ca=self.ca, client_auth=client_auth)
            if protocol.startswith('SASL'):
                text += LISTENER_SASL.format(name=name.lower(), plain_users=users)
        return text

    def scram_arguments(self):
        return [word for mechanism in ('SCRAM-SHA-256', 'SCRAM-SHA-512') for name, password in self.users.items()
                for word in ('--add-scram', f'{mechanism}=[name={name},password={password}]')]


class Broker:
    def __init__(self, folder, port=None, auto_create_topics=False, heap_mb=384, security=None):
        self.folder = Path(folder).absolute()
        self.port = port or free_port()
        self.auto_create_topics = auto_create_topics
        self.heap_mb = heap_mb
        self.process = None
        self.security = security
        self.ports = {name: free_port() for name in security.listeners()} if security else {}

    @property
    def bootstrap(self):
        return f'127.0.0.1:{self.port}'

    def address(self, listener, host='127.0.0.1'):
        """Of a secured listener."""
        return f'{host}:{self.ports[listener]}'

    @property
    def log_file(self):
        return self.folder / 'broker.log'

    def start(self, timeout_s=60):
        """Starts the broker on its data, formatting the folder the first time, and waits until it answers."""
        assert self.process is None, 'already running'
        self._write_configuration()
        if not (self.folder / 'data' / 'meta.properties').exists():
            self._format()
        with open(self.folder / 'stdout.log', 'ab') as out:
            # A session of its own: a Ctrl-C meant for the tests does not reach it; stop() does.
            self.process = subprocess.Popen(
                self._java(f'-Xms{self.heap_mb}m', f'-Xmx{self.heap_mb}m', '-Xss512k', '-XX:ReservedCodeCacheSize=64m',
                           'kafka.Kafka', str(self.folder / 'server.properties')),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self._wait_until_ready(timeout_s)
        return self

    def stop(self, timeout_s=30):
        """A clean shutdown; a killed one if it takes longer than that."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill9(self):
        """A crash: start() recovers on the same port and data."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def pause(self):
        """The broker hangs: connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        """Stops it and deletes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cpu_seconds(self):
        """User and system time of the broker so far."""
        stat = Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf('SC_CLK_TCK')

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def _java(self, *args):
        return ['java', '-XX:+UseSerialGC', '-Djava.awt.headless=true',
                f'-Dlog4j2.configurationFile={self.folder}/log4j2.properties', '-cp', f'{jars_folder()}/*', *args]

    def _write_configuration(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        controller_port = free_port()
        protocols = {name: protocol for name, (protocol, *_) in self.security.listeners().items()} if self.security else {}
        more = ''.join(f',{name}://127.0.0.1:{port}' for name, port in self.ports.items())
        text = SERVER_PROPERTIES.format(
            folder=self.folder, port=self.port, controller_port=controller_port, more=more,
            protocols=''.join(f',{name}:{protocol}' for name, protocol in protocols.items()),
            auto_create=str(self.auto_create_topics).lower())
        if self.security:
            text += self.security.properties()
        (self.folder / 'server.properties').write_text(text)
        (self.folder / 'log4j2.properties').write_text(LOG4J_PROPERTIES.format(folder=self.folder))

    def _format(self):
        done = subprocess.run(
            self._java('-XX:TieredStopAtLevel=1', 'kafka.tools.StorageTool', 'format', '--ignore-formatted',
                       '-t', CLUSTER_ID, '-c', str(self.folder / 'server.properties'),
                       *(self.security.scram_arguments() if self.security else [])),
            capture_output=True, text=True)
        if done.returncode != 0:
            raise BrokerError(f'cannot format {self.folder}:\n{done.stdout}{done.stderr}')

    def _wait_until_ready(self, timeout_s):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                status, self.process = self.process.returncode, None
                raise BrokerError(f'the broker ended with status {status}:\n{self._last_lines()}')
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.kill9()
        raise BrokerError(f'the broker did not listen within {timeout_s} s:\n{self._last_lines()}')

    def _last_lines(self):
        lines = []
        for name in ('stdout.log', 'broker.log'):
            if (self.folder / name).exists():
                lines += (self.folder / name).read_text(errors='replace').splitlines()[-20:]
        return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description='Runs a Kafka broker on 127.0.0.1 until Ctrl-C.')
    parser.add_argument('--port', type=int, default=9092)
    parser.add_argument('--data', required=True, metavar='DIR', help='kept between runs; delete it to start anew')
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Broker(args.data, args.port, auto_create_topics=True, heap_mb=512) as broker:
            print(f'Kafka on {broker.bootstrap}, log in {broker.log_file}; Ctrl-C stops it', flush=True)
            broker.process.wait()
            print(f'the broker ended by itself; see {broker.log_file}', file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        return 0
    except BrokerError as e:
        print(f'kafka: {e}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
