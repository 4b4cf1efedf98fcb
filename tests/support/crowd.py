"""A cloud that is filled and changed past its API, and its users, whose questions the oracle can answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from hyperx_glance import Client, Settings
from hyperx_glance.testing import InMemoryCloud
from tests.support import glance_rows
from tests.support.catalogue_oracle import LATER_STATUS, Caller, Record
from tests.support.clouds import REGION
from tests.support.second_glance import SecondGlance, in_the_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud

DEPARTMENTS = {"alice": "dept-a", "rita": "dept-a", "bob": "dept-b", "admin": "admin"}


class Crowd:
    """A cloud that is filled past its API, and its users. Its Glance is a later one, which knows one more status."""

    def __init__(self, cloud: InMemoryCloud | LocalCloud) -> None:
        self.cloud = cloud
        if isinstance(cloud, InMemoryCloud):
            cloud.glance.statuses.append(LATER_STATUS)
        self.sessions = {user: cloud.session(user) for user in DEPARTMENTS}
        self.projects = {name: str(self.sessions[user].get_project_id()) for user, name in DEPARTMENTS.items()}
        names = {project: name for name, project in self.projects.items()}
        self.callers = {"admin": Caller(self.projects["admin"], is_administrator=True, names=names)}
        for user in ("alice", "rita", "bob"):
            own = self.projects[DEPARTMENTS[user]]
            self.callers[user] = Caller(own, is_administrator=False, names={own: names[own]})

    @classmethod
    @contextmanager
    def of_services(cls, cloud: LocalCloud, directory: Path) -> Iterator[Self]:
        """Use a second Glance of the real services for a while, since the first cannot know the status."""
        with (
            SecondGlance(cloud, directory, later_statuses=[LATER_STATUS]) as glance,
            in_the_catalogue(cloud, glance.url),
        ):
            yield cls(cloud)

    def client(self, user: str, page_size: int = 1000) -> Client:
        """Connect a user."""
        return Client.from_session(self.sessions[user], region_name=REGION, settings=Settings(page_size=page_size))

    def stored(self, records: Sequence[Record]) -> list[Record]:
        """Write departments by their ids."""
        return [
            {
                **record,
                "owner": self.projects[record["owner"]],
                "members": {self.projects[name]: status for name, status in record["members"].items()},
            }
            for record in records
        ]

    # ------------------------------------------------------------- what is there

    def fill(self, images: Sequence[Record]) -> None:
        """Put images there, whose departments are ids."""
        if not isinstance(self.cloud, InMemoryCloud):
            glance_rows.insert(self.cloud, images)
            return
        glance = self.cloud.glance
        names = {project: name for name, project in self.projects.items()}
        for image in images:
            glance.add_image(**{key: value for key, value in image.items() if key not in ("members", "properties")})
            glance.images[image["id"]].properties |= image["properties"]
            for project, status in image["members"].items():
                glance.share(image["id"], names[project], status=status)

    def clear(self, ids: Iterable[str]) -> None:
        """Leave no trace of images."""
        if isinstance(self.cloud, InMemoryCloud):
            self.cloud.glance.images.clear()
            self.cloud.requests.clear()
        else:
            glance_rows.remove(self.cloud, list(ids))

    def delete(self, image_id: str) -> None:
        """Delete an image as Glance does: its row stays, which administrators can still begin a page behind."""
        if isinstance(self.cloud, InMemoryCloud):
            self.cloud.glance.remove_image(image_id)
        else:
            glance_rows.delete(self.cloud, image_id)

    def show_to(self, image_id: str, visibility: str) -> None:
        """Change who sees an image."""
        if isinstance(self.cloud, InMemoryCloud):
            self.cloud.glance.show_to(image_id, visibility)
        else:
            glance_rows.set_visibility(self.cloud, image_id, visibility)
