#!/usr/bin/env python3
"""A name server and a client that say exactly what they are told to.

  dns.py ask [tcp] [edns] TYPE NAME [raw=HEX]  asks 127.0.0.11: "RCODE [tc] [edns] ANSWER..."
  dns.py serve IP LOG                          answers on port 53 of IP; each question is a line of LOG

What it answers depends on the first label: see serve().
"""
import socket, struct, sys, threading, time

TYPES = {"A": 1, "PTR": 12, "MX": 15, "AAAA": 28, "SRV": 33}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def name(text):
    return b"".join(bytes([len(l)]) + l.encode() for l in text.split(".") if l) + b"\0"


def read_name(p, at):
    labels, end = [], None
    while p[at]:
        if p[at] >= 0xC0:
            end = end or at + 2
            at = (p[at] & 0x3F) << 8 | p[at + 1]
            continue
        labels.append(p[at + 1 : at + 1 + p[at]].decode())
        at += 1 + p[at]
    return ".".join(labels), end or at + 1


def read_all(s, n):
    data = b""
    while len(data) < n:
        data += s.recv(n - len(data)) or sys.exit("the server hung up")
    return data


def ask(words):
    kind, what = [w for w in words if w not in ("tcp", "edns") and not w.startswith("raw=")]
    q = struct.pack(">HHHHHH", 0x1234, 0x100, 1, 0, 0, "edns" in words) + name(what)
    q += struct.pack(">HH", TYPES[kind], 1)
    if "edns" in words:
        q += b"\0" + struct.pack(">HHIH", 41, 4096, 0, 0)
    for w in words:
        if w.startswith("raw="):
            q = bytes.fromhex(w[4:])
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if "tcp" in words else socket.SOCK_DGRAM)
    s.settimeout(20)
    s.connect(("127.0.0.11", 53))
    if "tcp" in words:
        s.sendall(struct.pack(">H", len(q)) + q)
        a = read_all(s, struct.unpack(">H", read_all(s, 2))[0])
    else:
        s.send(q)
        a = s.recv(65535)
    ident, flags, qd, an, ns, ar = struct.unpack(">HHHHHH", a[:12])
    assert a[:2] == q[:2] and flags & 0x8000
    out, at = [CODES[flags & 15]] + (["tc"] if flags & 0x200 else []), 12
    for _ in range(qd):
        at = read_name(a, at)[1] + 4
    for i in range(an + ns + ar):
        at = read_name(a, at)[1]
        t, _, _, n = struct.unpack(">HHIH", a[at : at + 10])
        at += 10
        d = a[at : at + n]
        if t == 1:
            out.append(socket.inet_ntop(socket.AF_INET, d))
        elif t == 28:
            out.append(socket.inet_ntop(socket.AF_INET6, d))
        elif t == 12:
            out.append(read_name(a, at)[0])
        elif t == 41:
            out.append("edns")
        at += n
    print(*out)


def reply(q, ips, flags=0, what=None):
    end = read_name(q, 12)[1] + 4
    question = q[12:end] if what is None else name(what) + q[end - 4 : end]
    a = q[:2] + struct.pack(">HHHHH", 0x8180 | flags, 1, len(ips), 0, 0) + question
    for ip in ips:
        a += struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ip)
    return a


def answers(q, tcp, me):
    """The packets that go back, in order."""
    first = read_name(q, 12)[0].split(".")[0].lower()
    good = reply(q, ["192.0.2.1"])
    if first == "silent" or me == "127.0.0.55":
        return []
    if first == "big":
        return [reply(q, ["192.0.2.%d" % i for i in range(1, 101)])] if tcp else [reply(q, [], 0x200)]
    if first == "wrongid":
        bad = reply(q, ["203.0.113.66"])
        return [bytes([bad[0] ^ 1]) + bad[1:], good]
    if first == "wrongname":
        return [reply(q, ["203.0.113.66"], 0, "evil.example"), good]
    if first == "garbage":
        return [q[:2] + b"\xff" * 40, q[:7], b"", good]
    if first == "refused" and me == "127.0.0.53":
        return [reply(q, [], 5)]
    if first == "servfail":
        return [reply(q, [], 2)]
    if first == "nothere":
        return [reply(q, [], 3)]
    return [reply(q, ["192.0.2." + me.split(".")[3]])]


def serve(ip, log):
    log = open(log, "a", buffering=1)
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind((ip, 53))
    t = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    t.bind((ip, 53))
    t.listen(16)

    def one(c):
        q = read_all(c, struct.unpack(">H", read_all(c, 2))[0])
        log.write("tcp %s\n" % read_name(q, 12)[0])
        for a in answers(q, True, ip):
            c.sendall(struct.pack(">H", len(a)) + a)
        c.close()

    def streams():
        while True:
            threading.Thread(target=one, args=(t.accept()[0],), daemon=True).start()

    threading.Thread(target=streams, daemon=True).start()
    log.write("ready\n")
    while True:
        q, who = u.recvfrom(4096)
        log.write("udp %s\n" % read_name(q, 12)[0])
        if read_name(q, 12)[0].startswith("wrongsource"):
            other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            other.bind((ip, 0))
            other.sendto(reply(q, ["203.0.113.66"]), who)
            time.sleep(0.1)
        for a in answers(q, False, ip):
            u.sendto(a, who)


if sys.argv[1] == "ask":
    ask(sys.argv[2:])
else:
    serve(*sys.argv[2:])
