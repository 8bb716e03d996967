"""A wallet made by eth-account (EVM) or PyNaCl (Solana).

Reads {"chain", "secret"?, "message"?} and prints {"secret", "address", "signature"?}.
"""

import json
import sys

import base58
from eth_account import Account
from eth_account.messages import encode_defunct
from nacl.signing import SigningKey

request = json.load(sys.stdin)
secret = request.get("secret")
message = request.get("message")
if request["chain"] == "evm":
    account = Account.from_key(secret) if secret else Account.create()
    wallet = {"secret": account.key.hex(), "address": account.address}
    if message is not None:
        wallet["signature"] = "0x" + account.sign_message(encode_defunct(text=message)).signature.hex().removeprefix("0x")
else:
    key = SigningKey(bytes.fromhex(secret)) if secret else SigningKey.generate()
    wallet = {"secret": key.encode().hex(), "address": base58.b58encode(key.verify_key.encode()).decode()}
    if message is not None:
        wallet["signature"] = base58.b58encode(key.sign(message.encode()).signature).decode()
print(json.dumps(wallet))
