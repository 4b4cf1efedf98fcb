"""With whom the images of the in-memory Glance are shared."""

from __future__ import annotations

from hyperx_glance.testing.memory.glance import records
from hyperx_glance.testing.memory.glance.records import ImageRecord, Member
from hyperx_glance.testing.memory.glance.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_ONLY_SHARED = "Only shared images have members."


class Members(State):
    """The part of Glance that handles members of images (glance/api/v2/image_members.py)."""

    def _list_members(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id, "Image {} not found.")
        if image.visibility != "shared":
            raise Refused(403, f"Not allowed to list members for image {image_id}: {_ONLY_SHARED}")
        everything = call.who.is_administrator or image.owner == call.who.project_id
        members = [
            member for member in image.members.values() if everything or member.project_id == call.who.project_id
        ]
        return json_reply(
            200, {"members": [_member_view(image, member) for member in members], "schema": "/v2/schemas/members"}
        )

    def _add_member(self, call: Call, image_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(400, 'Expected a member in the form: {"member": "image_id"}')
        if "member" not in body:
            raise Refused(400, "Member to be added not specified")
        project_id = body["member"]
        if not project_id:
            raise Refused(400, "Member can't be empty")
        image = self._found(call, image_id, "Image {} not found.")
        if image.visibility != "shared":
            raise Refused(403, f"Not allowed to create members for image {image_id}.")
        self._owner_only(call, image, "add_member")
        attempted = len(image.members) + 1
        if attempted > self.member_quota >= 0:  # counted before anybody looks whether the member is there
            raise Refused(
                413,
                f"Image member limit exceeded for image {image_id}: The limit has been exceeded on the number of "
                f"allowed image members for this image. Attempted: {attempted}, Maximum: {self.member_quota}:",
            )
        if project_id in image.members:
            raise Refused(409, f"Member {project_id} is duplicated for image {image_id}")
        # The row of a former member is used again (glance/db/__init__.py, ImageMemberRepo.add).
        member = image.former_members.pop(project_id, None) or Member(project_id, created_at=self.now())
        member.status, member.updated_at = "pending", self.now()
        image.members[project_id] = member
        self._changed()
        return json_reply(200, _member_view(image, member))

    def _show_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        image, member = self._member(call, image_id, project_id, _ONLY_SHARED)
        return json_reply(200, _member_view(image, member))

    def _update_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(400, 'Expected a status in the form: {"status": "status"}')
        if "status" not in body:
            raise Refused(400, "Status not specified")
        status = body["status"]
        image, member = self._member(call, image_id, project_id, f"Not allowed to update members for image {image_id}.")
        # The member says yes or no, not the owner (glance/policies/image.py, modify_member).
        may = call.who.may_write and call.who.project_id == project_id
        if not call.who.is_administrator and not may:
            raise Refused(403, "You are not authorized to complete modify_member action.")
        if status not in ("pending", "accepted", "rejected"):
            raise Refused(400, 'Incorrect request: Status must be "pending", "accepted" or "rejected".')
        if self.while_a_status_is_set is not None:
            with call.pause():
                self.while_a_status_is_set()
        # A row that was deleted meanwhile comes back (glance/db/sqlalchemy/api.py, _image_member_update).
        if member.status != status or image.former_members.pop(project_id, None):
            member.status, member.updated_at = status, self.now()
        image.members[project_id] = member
        self._changed()
        return json_reply(200, _member_view(image, member))

    def _remove_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        image, member = self._member(call, image_id, project_id, f"Not allowed to delete members for image {image_id}.")
        self._owner_only(call, image, "delete_member")
        image.former_members[project_id] = member
        image.members.pop(project_id)
        self._changed()
        return Reply(204)

    def _member(self, call: Call, image_id: str, project_id: str, refusal: str) -> tuple[ImageRecord, Member]:
        """Return a member that the caller may see: the owner sees all of them, a member itself."""
        image = self._found(call, image_id, "Image {} not found.")
        if image.visibility != "shared":
            raise Refused(404 if call.method == "GET" else 403, refusal)
        sees = call.who.is_administrator or call.who.project_id in (image.owner, project_id)
        if not sees or project_id not in image.members:
            raise Refused(404, f"{project_id} not found in the member list of the image {image_id}.")
        return image, image.members[project_id]

    def _owner_only(self, call: Call, image: ImageRecord, action: str) -> None:
        if not call.who.is_administrator and not (call.who.may_write and image.owner == call.who.project_id):
            raise Refused(403, f"You are not authorized to complete {action} action.")


def _member_view(image: ImageRecord, member: Member) -> Record:
    return {
        "member_id": member.project_id,
        "image_id": image.id,
        "status": member.status,
        "created_at": records.isotime(member.created_at),
        "updated_at": records.isotime(member.updated_at),
        "schema": "/v2/schemas/member",
    }
