"""Waiting until a new record has a place in the quota: the race for a department's last images."""

from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import QuotaExceededError, WaitTimeoutError
from hyperx_glance.models.image import Image
from hyperx_glance.models.quotas import DepartmentQuota
from hyperx_glance.quotas.reading import image_quota, image_records
from hyperx_glance.quotas.room import counts
from hyperx_glance.registration.order import Deadline, RegistrationOrder
from hyperx_glance.registration.outcome import admission_rank
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import Phase
from hyperx_glance.waiting.pace import wait_until

STANDSTILL_SECONDS = 30.0


def admit(context: Context, order: RegistrationOrder, end: Deadline) -> DepartmentQuota:
    """Wait until the department has no more records than its limit, and return the quota.

    Glance counts first and inserts afterwards, so concurrent creates can exceed the limit. The import starts only after
    a look that shows no more records than the limit. Otherwise a registration that ranks beyond the limit raises
    `QuotaExceededError`. One that ranks within it waits for the others to withdraw, as long as the records change.
    After one usage request there are only listings: for each usage request Glance logs in to Keystone
    (oslo_limit/limit.py), and twenty concurrent ones wait for each other. Raise `WaitTimeoutError` at ``end``.
    """
    quota = image_quota(context, order.department)
    usage = quota.images
    if usage is None or usage.limit is None or usage.used <= usage.limit:
        return quota
    seen: dict[str, Phase] = {}

    def changed() -> list[Image] | None:
        nonlocal seen
        records = [image for image in image_records(context.cloud, order.department) if counts(image)]
        before, seen = seen, {image.id: image.phase for image in records}
        return records if seen != before else None

    while True:
        try:
            place = f"a place in the quota of department {order.department.name}"
            records = wait_until(context.settings.pace, changed, timeout=min(STANDSTILL_SECONDS, end.left), what=place)
        except WaitTimeoutError:
            if end.passed:
                message = say("quota-wait-timed-out", image=order.image_id, department=order.department.name)
                raise WaitTimeoutError(message, image_id=order.image_id) from None
            # A registration beyond the limit that neither starts nor withdraws has died. Once resumed, it withdraws.
            return quota
        if len(records) <= usage.limit:
            return quota
        if admission_rank(order.image_id, records) > usage.limit:
            raise QuotaExceededError(
                department=order.department.name,
                resource="images",
                limit=usage.limit,
                used=usage.limit,
                requested=1,
            )
