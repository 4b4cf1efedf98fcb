"""Time: polling, retries, the quiet time after a lost response, and ids that say when they were drawn.

>>> from hyperx_glance import Pace
>>> from hyperx_glance.waiting.pace import wait_until
>>> wait_until(Pace(), lambda: "ready")
'ready'
"""
