"""The race for a department's last places."""

from hyperx_glance import quotas
from hyperx_glance.errors import QuotaExceededError, WaitTimeoutError
from hyperx_glance.models import DepartmentQuota
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import admission_rank
from hyperx_glance.waiting import wait_until

ADMISSION_SECONDS = 30.0


def admit(site: Site, order: Order) -> DepartmentQuota:
    """Let a registration go on only while its department has no more records than it may have.

    Glance counts and then inserts, so that several creates at once can get in too many. The import starts only after a
    look that shows no more records than the limit. Otherwise, who ranks beyond the limit withdraws; who ranks within it
    waits for the others to do so, and in the end withdraws too. Give the quota as it was seen last.
    """

    def look_again() -> DepartmentQuota | None:
        quota = quotas.image_quota(site.cloud, site.departments, order.department)
        if quota.images is None or quota.images.limit is None or quota.images.used <= quota.images.limit:
            return quota
        records = quotas.image_records(site.cloud, order.department)
        if admission_rank(order.image_id, records) > quota.images.limit:
            raise QuotaExceededError(
                department=order.department.name,
                resource="images",
                limit=quota.images.limit,
                used=quota.images.limit,
                requested=1,
            )
        return None

    try:
        return wait_until(site.settings.pace, look_again, timeout=ADMISSION_SECONDS)
    except WaitTimeoutError as error:
        raise QuotaExceededError(
            f"Department {order.department.name} stayed full while others were waited for to withdraw.",
            department=order.department.name,
            resource="images",
            requested=1,
        ) from error
