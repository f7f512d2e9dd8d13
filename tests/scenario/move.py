"""Kept connections go on in other workers when theirs retires, and their clients notice nothing."""
from client import Client
from reeve import HTTP, USUAL, FULL, check, contains, equal, main, scenario, until

KEPT_OPEN = 200 if FULL else 40


def says(word):
    return f'http {{ site "default" {{ route "/" {{ hello {{ text = "{word}" }} }} }} }}\n'


def serve(case, text=HTTP + says("one"), clients=KEPT_OPEN, **options):
    """A server that would wait for long before it closes anything, with room for these clients."""
    options = {"drain_linger": "30s", "drain_timeout": "60s", **case.room(2 * clients), **options}
    return case.serve(text, **options)


def kept(address, count, body=b"one"):
    """So many connections that have asked one thing."""
    clients = [Client(address) for _ in range(count)]
    for client in clients:
        ask(client, body)
    return clients


def ask(client, body):
    answer = client.get("/")
    equal((answer.status, answer.body, answer.field("Connection")), (200, body, None), "an answer")


def end(clients):
    for client in clients:
        client.link.close()


@scenario("a reload: kept connections are answered by the new configuration, none is closed")
def reload(case):
    server = serve(case, clients=KEPT_OPEN)
    clients = kept(server.address(), KEPT_OPEN)
    server.configure(HTTP + says("two"))
    equal(server.ask("reload")["code"], 0, "the reload")
    server.settled()  # long before drain_linger: nobody is left
    for client in clients:
        ask(client, b"two")
    end(clients)


main()
