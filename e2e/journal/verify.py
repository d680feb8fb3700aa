"""Checks what `larder audit prove|consistency` print, from the specifications alone: RFC 9162 for the tree, C2SP
signed-note and tlog-checkpoint for the note, RFC 8032 for the signature. Shares no code with Larder.

    verify.py VERIFIER_KEY inclusion PROOF.json
    verify.py VERIFIER_KEY consistency PROOF.json EARLIER_CHECKPOINT
"""
import base64
import hashlib
import json
import sys

# RFC 8032, 5.1: verification of Ed25519, slow and short.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    A, B = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    C, E = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = B - A, E - C, E + C, B + A
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def x_of(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        raise ValueError("not a point")
    return P - x if x & 1 != sign else x


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = x_of(y, sign)
    return (x, y, 1, x * y % P)


def signed(public, message, signature):
    base_y = 4 * pow(5, P - 2, P) % P
    base_x = x_of(base_y, 0)
    base = (base_x, base_y, 1, base_x * base_y % P)
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = times(s, base), add(point(signature[:32]), times(h, point(public)))
    return s < Q and not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


def checkpoint(verifier, note):
    """The size and root of a note that the key signed."""
    name, key_id, key = verifier.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1 and hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id, "the verifier key"
    body, signatures = note.rsplit("\n\n", 1)
    body += "\n"
    for line in signatures.splitlines():
        dash, signer, value = line.split(" ")
        value = base64.b64decode(value)
        if dash == "\u2014" and signer == name and value[:4].hex() == key_id:
            assert signed(key[1:], body.encode(), value[4:]), "a wrong signature"
            origin, size, root = body.splitlines()[:3]
            assert origin == name
            return int(size), base64.b64decode(root)
    raise AssertionError("no signature by this key")


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def inclusion(index, size, leaf, proof, root):
    """RFC 9162, 2.1.3.2."""
    assert index < size
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        assert sn
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0 and r == root, "the proof does not lead to the root"


def consistency(first, second, first_root, second_root, proof):
    """RFC 9162, 2.1.4.2."""
    if first == second:
        assert not proof and first_root == second_root, "two roots of one size"
        return
    if first & first - 1 == 0:
        proof = [first_root] + proof
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        assert sn
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0 and fr == first_root and sr == second_root, "the log does not begin with the earlier one"


def main():
    verifier, kind, path = sys.argv[1:4]
    proof = json.load(open(path))
    hashes = [base64.b64decode(value) for value in proof["proof"]]
    size, root = checkpoint(verifier, proof["checkpoint"])
    if kind == "inclusion":
        leaf = hashlib.sha256(b"\0" + proof["leaf"].encode()).digest()
        inclusion(proof["leafIndex"], size, leaf, hashes, root)
        print(json.loads(proof["leaf"])["resource"])
    else:
        first, first_root = checkpoint(verifier, open(sys.argv[4]).read())
        assert (first, size) == (proof["from"], proof["to"])
        consistency(first, size, first_root, root, hashes)
    print("verified")


main()
