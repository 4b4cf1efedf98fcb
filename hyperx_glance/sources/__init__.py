"""Where the data of images comes from: URLs, files of this machine, packed data, published checksums.

>>> client.check_url("https://files.example/debian-12.qcow2").status
200
"""
