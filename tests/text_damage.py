"""Damage to small files that carry no checksum."""


def damaged(content, rng):
    """Change some bytes: flip bits, cut, swap, double, empty."""
    data = bytearray(content)
    kind = rng.randrange(6)
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    if kind == 0:
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[a:]
    elif kind == 2:
        del data[a:b]
    elif kind == 3:
        data = data[b:] + data[a:b] + data[:a]
    elif kind == 4:
        data[a:b] = bytes(rng.randrange(256) for _ in range(b - a))
    else:
        data[a:a] = data[a:b]
    return bytes(data)
