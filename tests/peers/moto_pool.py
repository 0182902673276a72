"""Cognito as moto plays it: a pool where people log in by e-mail address, with an app client that has a secret.

usage: python moto_pool.py

The first line of output is `ready URL`, the second a JSON object: the pool, the client and two users, one of whom has to
choose a new password. moto checks passwords, and SECRET_HASH at a renewal; it checks neither SRP nor SECRET_HASH at a login.
"""

import json
import os
import threading

import boto3
from moto.server import ThreadedMotoServer

for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ.setdefault(name, "moto")

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"

cognito = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=url)
pool = cognito.create_user_pool(PoolName="agents", UsernameAttributes=["email"])["UserPool"]["Id"]
client = cognito.create_user_pool_client(
    UserPoolId=pool,
    ClientName="agents",
    GenerateSecret=True,
    ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
)["UserPoolClient"]


def user(email):
    """Makes a user with a temporary password and tells the real name."""
    made = cognito.admin_create_user(UserPoolId=pool, Username=email, TemporaryPassword="Temp0rary!")
    return made["User"]["Username"]


ada, bob = user("ada@example.com"), user("bob@example.com")
cognito.admin_set_user_password(UserPoolId=pool, Username=ada, Password="Passw0rd!", Permanent=True)

print(f"ready {url}", flush=True)
known = {"pool": pool, "client": client["ClientId"], "secret": client["ClientSecret"], "ada": ada, "bob": bob}
print(json.dumps(known), flush=True)
threading.Event().wait()
