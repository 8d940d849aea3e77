"""A log in which something happened in two counties and at the province."""

from integration.audit.planted_log import BRANCH, COUNTY, LI, OTHER_COUNTY, PROVINCE, ZHANG, PlantedLog

# What stands where, by number.
APPROVED, LISTED, REFUSED, OF_BRANCH, ELSEWHERE, OF_PROVINCE, OWN, BY_SERVICE = range(8)
FILLING = 300


def some_entries() -> PlantedLog:
    """Give a log in which something happened in two counties and at the province."""
    log = PlantedLog()
    log.add(subject_id=ZHANG, about=(ZHANG,))
    log.add(action="identity.people.listed", outcome="read", subject_id=COUNTY, about=(ZHANG, LI))
    log.add(action="identity.person.read", outcome="refused", reason="PERMISSION_DENIED", subject_id=ZHANG, offices=[])
    log.add(lane="branches", action="branches.post.filled", organisation_id=BRANCH, subject_id=BRANCH, about=(LI,))
    log.add(county=OTHER_COUNTY, subject_id=LI, about=(LI,), offices=[f"county_admin@{OTHER_COUNTY}"])
    log.add(county="", organisation_id=PROVINCE, action="identity.grant.made", subject_id="grant")
    log.add(
        action="identity.my_data.downloaded",
        outcome="read",
        about=(ZHANG,),
        member_id=ZHANG,
        organisation_id="",
        offices=[],
    )
    log.add(
        lane="identity",
        action="identity.telephones.resolved",
        outcome="read",
        county="",
        service="notify",
        member_id="",
        account_id="svc-notify",
        offices=[],
        about=(ZHANG,),
    )
    for number in range(FILLING):
        log.add(lane="notify", action="notify.inbox.marked_read", subject_id=f"filling-{number}", offices=[])
    return log
