"""What departments use and may use."""

from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.models import DepartmentQuota, QuotaLimits


def quota(cloud: Cloud, departments: Departments, department: str | None) -> DepartmentQuota:
    raise NotImplementedError


def set_quota(cloud: Cloud, departments: Departments, department: str, limits: QuotaLimits) -> DepartmentQuota:
    raise NotImplementedError
