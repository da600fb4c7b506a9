"""test_security.py - a real broker with TLS and SASL: what works, what is refused, and that no secret is ever shown."""

import json
import re
import time
from pathlib import Path

import pytest

from certificates import DAY, Authority
from conftest import consume
from kafka import Broker, Security

PASSWORD = 'correct-horse-battery'
WRONG = 'wrong-horse-battery'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('security')


@pytest.fixture(scope='module')
def secure(folder):
    """A broker with every kind of listener, and files beside it: ca.pem, stranger.pem, client.*, locked.*."""
    ours, _ = Authority(folder, 'ca'), Authority(folder, 'stranger')
    keystores = {name: ours.issue(name, hosts, valid_for)[2] for name, hosts, valid_for in (
        ('broker', ['127.0.0.1'], 10 * DAY), ('OTHERHOST', ['elsewhere.example'], 10 * DAY), ('EXPIRED', ['127.0.0.1'], -DAY))}
    ours.issue('client')
    ours.issue('locked', password=PASSWORD)
    (folder / 'password').write_text(PASSWORD + '\n')
    security = Security(ours.ca, keystores.pop('broker'), keystores, users={'city': PASSWORD})
    with Broker(folder / 'kafka', security=security) as broker:
        yield broker


def config(tmp_path, folder, text):
    path = tmp_path / 'city.yaml'
    path.write_text('kafka:\n  security:\n' + ''.join(f'    {line}\n' for line in text.format(d=folder).splitlines()))
    return path


def simulate(citylake, secure, listener, config, **kwargs):
    return citylake.run('simulate', '--config', config, '--kafka', secure.address(listener) if listener else secure.bootstrap,
                        '--events', 50, '--quiet', **kwargs)


SASL = 'sasl: {{mechanism: %s, username: city, password_file: {d}/password}}'
BAD_SASL = 'sasl: {{mechanism: %s, username: city, password: "${{CITY_PASSWORD}}"}}'
CA = 'tls: {{ca: {d}/ca.pem}}\n'


@pytest.mark.parametrize('listener, text', [
    ('SSL', CA),
    ('MTLS', 'tls: {{ca: {d}/ca.pem, certificate: {d}/client.crt, key: {d}/client.key}}'),
    ('MTLS', 'tls: {{ca: {d}/ca.pem, certificate: {d}/locked.crt, key: {d}/locked.key, key_password_file: {d}/password}}'),
    ('OTHERHOST', 'tls: {{ca: {d}/ca.pem, verify_host_name: false}}'),
    ('SASL_SSL', CA + SASL % 'plain'),
    ('SASL_PLAINTEXT', 'tls: false\n' + SASL % 'plain'),
])
def test_right_settings_work(citylake, secure, folder, tmp_path, listener, text):
    simulate(citylake, secure, listener, config(tmp_path, folder, text))


@pytest.mark.parametrize('listener, text, message', [
    ('SASL_SSL', CA + BAD_SASL % 'plain', 'authentication failed: .*check user and password'),
    ('SASL_SSL', CA + BAD_SASL % 'scram-sha-512', 'authentication failed: .*check user and password'),
    ('SSL', CA + SASL % 'plain', 'authentication failed: .*no SASL at all'),
    ('SSL', 'tls: {{ca: {d}/stranger.pem}}', 'set kafka.security.tls.ca'),
    ('OTHERHOST', CA, 'another host name'),
    ('EXPIRED', CA, 'not valid now'),
    ('SSL', 'tls: {{ca: {d}/nowhere.pem}}', 'cannot read .*nowhere.pem: No such file'),
    ('MTLS', 'tls: {{ca: {d}/ca.pem, certificate: {d}/locked.crt, key: {d}/locked.key, key_password: "${{CITY_PASSWORD}}"}}',
     'ssl.key.location failed'),
])
def test_wrong_settings_end_at_once_with_the_remedy(citylake, secure, folder, tmp_path, listener, text, message):
    """For both ends; exit status 2, seconds before the 10 s that an absent broker gets, and no secret in what is printed."""
    path = config(tmp_path, folder, text)
    for command in (['simulate', '--events', 5], ['stream', '--lake', tmp_path / 'lake', '--until-end']):
        began = time.monotonic()
        done = citylake.run(*command, '--config', path, '--kafka', secure.address(listener), check=False, env={'CITY_PASSWORD': WRONG})
        assert done.rc == 2, done.stderr
        assert time.monotonic() - began < 8
        assert re.search(message, done.stderr), done.stderr
        assert WRONG not in done.stderr and PASSWORD not in done.stderr


@pytest.mark.parametrize('listener, text', [('SSL', 'tls: false'), ('SASL_SSL', 'tls: false'), (None, CA)])
def test_plain_and_tls_confused(citylake, secure, folder, tmp_path, listener, text):
    done = simulate(citylake, secure, listener, config(tmp_path, folder, text), check=False)
    assert done.rc == 1
    assert 'this port speak TLS?' in done.stderr or 'does this port speak TLS' in done.stderr, done.stderr


def test_a_client_certificate_is_asked_for(citylake, secure, folder, tmp_path):
    done = simulate(citylake, secure, 'MTLS', config(tmp_path, folder, CA), check=False)
    assert done.rc == 1
    assert 'set kafka.security.tls.certificate and key' in done.stderr


def newer_librdkafka():
    """confluent-kafka carries one: librdkafka before 2.6.1 cannot do SCRAM with this broker."""
    import confluent_kafka
    libraries = Path(confluent_kafka.__file__).parents[1] / 'confluent_kafka.libs'
    return str(next(libraries.glob('librdkafka-*.so*')))


@pytest.mark.parametrize('mechanism, newer', [('plain', False), ('scram-sha-256', True), ('scram-sha-512', True)])
def test_end_to_end_over_tls_and_sasl(citylake, secure, folder, tmp_path, lake, mechanism, newer):
    names = {f'{v}_TOPIC': f'{v.lower()}_{mechanism}' for v in ('VEHICLE', 'GPS', 'TRAFFIC', 'WEATHER', 'EMERGENCY')}
    env = names | ({'LD_PRELOAD': newer_librdkafka()} if newer else {})
    path = config(tmp_path, folder, CA + SASL % mechanism)
    common = ['--config', path, '--kafka', secure.address('SASL_SSL')]
    citylake.run('simulate', *common, '--events', 5000, '--malformed', 0.01, '--quiet', env=env)
    citylake.run('stream', *common, '--lake', lake, '--until-end', env=env)
    assert 'passed' in citylake.run('audit', *common, '--source', 'kafka', '--lake', lake, env=env).stdout
    sent = len(consume(secure.bootstrap, names['GPS_TOPIC']))
    [have] = citylake.sql(lake, "SELECT (SELECT count(*) FROM gps) + (SELECT count(*) FROM dead_letters WHERE feed = 'gps') AS n")
    assert have == {'n': sent} and sent > 1000


def test_check_says_what_is_on_and_no_secret(citylake, folder, tmp_path):
    path = config(tmp_path, folder, 'tls: {{ca: {d}/ca.pem, certificate: {d}/a.crt, key: {d}/a.key, key_password: "${{CITY_PASSWORD}}"}}\n'
                  'sasl: {{mechanism: scram-sha-512, username: city, password: "${{CITY_PASSWORD}}"}}')
    for extra in ([], ['--format', 'json'], ['--verbose']):
        done = citylake.run('check', path, *extra, env={'CITY_PASSWORD': PASSWORD})
        assert PASSWORD not in done.stdout + done.stderr
    out = citylake.run('check', path, env={'CITY_PASSWORD': PASSWORD}).stdout
    assert f'security: TLS, authority {folder}/ca.pem' in out
    assert 'SASL scram-sha-512 as city, password given' in out


@pytest.mark.parametrize('text, message', [
    ('sasl: {{mechanism: plain, username: u, password: p}}', 'add tls: true'),
    ('tls: true\nsasl: {{mechanism: plain, username: u}}', 'needs password_file'),
    ('tls: true\nsasl: {{username: u, password: p}}', 'needs mechanism'),
    ('tls: true\nsasl: {{mechanism: plain, password: p}}', 'needs username'),
    ('tls: true\nsasl: {{mechanism: scram, username: u, password: p}}', 'scram-sha-512'),
    ('tls: true\nsasl: {{mechanism: plain, username: u, password: p, password_file: f}}', 'keep one of the two'),
    ('tls: {{certificate: a}}', 'needs its key'),
    ('tls: {{caa: a}}', 'did you mean "ca"'),
    ('tls: maybe', 'kafka.security.tls'),
    ('tls: true\nsasl: {{mechanism: plain, username: u, password: "${{NOT_SET_ANYWHERE}}"}}', 'NOT_SET_ANYWHERE is not set'),
])
def test_mistakes_of_the_file_are_named(citylake, folder, tmp_path, text, message):
    done = citylake.run('check', config(tmp_path, folder, text), check=False)
    assert done.rc == 2
    assert message in done.stderr
    assert 'city.yaml:' in done.stderr


def test_one_place_for_each_setting(citylake, tmp_path):
    path = tmp_path / 'city.yaml'
    path.write_text(json.dumps({'kafka': {'properties': {'security.protocol': 'ssl'}, 'security': {'tls': True}}}))
    done = citylake.run('check', path, check=False)
    assert done.rc == 2 and 'kafka.properties sets security.protocol too' in done.stderr
