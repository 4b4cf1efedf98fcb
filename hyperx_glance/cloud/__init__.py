"""The border to OpenStack: sessions, requests, and what services answer.

>>> client.cloud.get("image", "/images", params={"limit": 1}).json()["images"]
[]
"""
