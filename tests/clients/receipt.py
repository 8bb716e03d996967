"""Verifies one receipt with a stock JOSE library.

Reads {"jws", "jwks"} and prints {"claims": the claims, or null if the receipt does not verify}.
"""

import json
import sys

import jwt

request = json.load(sys.stdin)
try:
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(request["jwks"]).keys}
    key = keys[jwt.get_unverified_header(request["jws"])["kid"]]
    claims = jwt.decode(request["jws"], key, algorithms=["ES256"], options={"verify_iat": False, "verify_sub": False})
except (jwt.PyJWTError, KeyError, ValueError):
    claims = None
print(json.dumps({"claims": claims}))
