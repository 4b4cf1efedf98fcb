"""Lists of images: filters, order, pages and counts.

>>> hyperx_cloud.glance.add_image(owner="dept-a", name="debian-12")
'...'
>>> [image.name for image in client.images(search="debian")], client.count()
(['debian-12'], 1)
"""
