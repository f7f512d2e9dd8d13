"""Other web servers, set up like ours: one worker process where they have the choice, no access
log, connections that are kept as long as the client likes, the same file, everything in a folder of
their own. Else they are as they are by default."""
import os
import random
import re
import resource
import shutil
import socket
import subprocess

ROOT = os.geteuid() == 0
WORKERS = 150      # Debian's MaxRequestWorkers, which no load is given less of
PROCESSES_MAX = 256
MODULES = "/usr/lib/apache2/modules"

NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 32768; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port} backlog=65535; root {folder}/www; }}
}}
"""

APACHE = """
ServerRoot {folder}
ServerName bench
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
<IfModule !unixd_module>
    LoadModule unixd_module {modules}/mod_unixd.so
</IfModule>
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
{user}
Listen 127.0.0.1:{port}
ListenBacklog 65535
DocumentRoot {folder}/www
KeepAlive On
MaxKeepAliveRequests 0
MaxConnectionsPerChild 0
{numbers}
"""
APACHE_PROCESSES = """
ServerLimit {n}
StartServers {n}
MinSpareServers 1
MaxSpareServers {n}
MaxRequestWorkers {n}
"""
APACHE_THREADS = """
ServerLimit 1
StartServers 1
ThreadLimit {n}
ThreadsPerChild {n}
MinSpareThreads 1
MaxSpareThreads {n}
MaxRequestWorkers {n}
{more}
"""

H2O = """
num-threads: 1
max-connections: 32768
error-log: {folder}/error.log
{user}
listen: {{ host: 127.0.0.1, port: {port} }}
hosts:
  default:
    paths:
      "/":
        file.dir: {folder}/www
"""

LIGHTTPD = """
server.document-root = "{folder}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/error.log"
server.listen-backlog = 65535
server.max-connections = {connections}
server.max-fds = {descriptors}
server.max-keep-alive-requests = 65535
{user}
"""


def apache(mpm):
    """Threads or processes, all from the start: Debian's number, or as many as the load holds."""
    def fill(folder, port, hold):
        if mpm == "prefork":
            count = min(max(hold, WORKERS), PROCESSES_MAX)
            numbers = APACHE_PROCESSES.format(n=count)
            text = f"{count} processes"
        else:
            count = max(hold, WORKERS)
            more = "AsyncRequestWorkerFactor 2000" if mpm == "event" else ""
            numbers = APACHE_THREADS.format(n=count, more=more)
            text = f"1 process, {count} threads"
        return APACHE.format(folder=folder, port=port, mpm=mpm, modules=MODULES, numbers=numbers,
                             user="User nobody\nGroup nogroup" if ROOT else ""), text
    return fill


def plain(template, user):
    def fill(folder, port, _hold):
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]  # more may be refused
        return template.format(folder=folder, port=port, user=user if ROOT else "",
                               descriptors=descriptors, connections=descriptors // 2), "1 process"
    return fill


# name: (program, arguments, configuration, file that must be there, how it tells its version)
PEERS = {
    "nginx": ("nginx", ["-p", "{folder}", "-e", "{folder}/error.log", "-c"],
              plain(NGINX, "user nobody nogroup;"), None, "-v"),
    "apache-event": ("apache2", ["-DFOREGROUND", "-f"], apache("event"),
                     f"{MODULES}/mod_mpm_event.so", "-v"),
    "apache-worker": ("apache2", ["-DFOREGROUND", "-f"], apache("worker"),
                      f"{MODULES}/mod_mpm_worker.so", "-v"),
    "apache-prefork": ("apache2", ["-DFOREGROUND", "-f"], apache("prefork"),
                       f"{MODULES}/mod_mpm_prefork.so", "-v"),
    "h2o": ("h2o", ["-c"], plain(H2O, "user: nobody"), None, "-v"),
    "lighttpd": ("lighttpd", ["-D", "-f"], plain(
        LIGHTTPD, 'server.username = "nobody"\nserver.groupname = "nogroup"'), None, "-v"),
}


def free_port():
    """A port that nobody uses now, below those that connections get by chance."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def program(name):
    """The path of a peer's program, or None where it is not installed."""
    command, _, _, needed, _ = PEERS[name]
    path = shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return path if path and (needed is None or os.path.exists(needed)) else None


def version(name):
    done = subprocess.run([program(name), PEERS[name][4]], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found.group(0) if found else "unknown"
