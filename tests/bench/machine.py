"""On what, and with what, a benchmark ran."""
import gzip
import os
import platform
import re
import subprocess
import time

import peers
import reeve

SYSCTLS = ("net/core/somaxconn", "net/ipv4/tcp_max_syn_backlog", "net/ipv4/ip_local_port_range",
           "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_max_tw_buckets", "net/ipv4/tcp_syncookies",
           "fs/nr_open", "kernel/threads-max", "kernel/pid_max")


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False,
                              stdin=subprocess.DEVNULL)
        return (done.stdout + done.stderr).strip().split("\n")[0]
    except OSError:
        return "missing"


def irq_time_accounting():
    """Does the kernel account the time of interrupts by itself? "y", "n" or "unknown"."""
    text = read(f"/boot/config-{platform.release()}")
    if not text:
        try:
            with gzip.open("/proc/config.gz", "rt") as file:
                text = file.read()
        except OSError:
            return "unknown"
    return "y" if "\nCONFIG_IRQ_TIME_ACCOUNTING=y" in text else "n"


def sysctl(name):
    return " ".join(read("/proc/sys/" + name).split())


def describe(peer_names, cpus, how):
    """Facts as one object, for system.json."""
    cpu = re.search(r"^model name\s*: (.*)$", read("/proc/cpuinfo"), re.M)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", read("/proc/meminfo"), re.M)
    system = re.search(r'^PRETTY_NAME="?(.*?)"?$', read("/etc/os-release"), re.M)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "system": system.group(1) if system else "",
        "kernel": platform.release(),
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cpus": os.cpu_count(),
        "cpu_of_server": cpus[0],
        "cpu_of_load": cpus[1],
        "memory_mib": int(memory.group(1)) // 1024 if memory else 0,
        "load_average": read("/proc/loadavg"),
        "cpu_time_by": how,
        "irq_time_accounting": irq_time_accounting(),
        "versions": {
            "reeve": first_line(reeve.REEVED, "-V"),
            "wrk": first_line("wrk", "-v").split(" Copyright")[0],
            "gnuplot": first_line("gnuplot", "--version"),
            **{name: peers.version(name) for name in peer_names},
        },
        "sysctl": {name.replace("/", "."): sysctl(name) for name in SYSCTLS},
    }


def in_words(facts):
    """The same as lines of Markdown."""
    versions = ", ".join(f"{name} {text}" for name, text in facts["versions"].items())
    sysctls = ", ".join(f"{name} = {text}" for name, text in facts["sysctl"].items())
    return [f"{facts['date']}, {facts['system']}, Linux {facts['kernel']}, {facts['cpus']} CPUs "
            f"({facts['cpu']}), {facts['memory_mib']} MiB. Servers ran on CPU "
            f"{facts['cpu_of_server']}, the load on CPU {facts['cpu_of_load']}, over the loopback. "
            f"CPU time by {facts['cpu_time_by']}.", "", f"Versions: {versions}.", "",
            f"Kernel: {sysctls}."]
