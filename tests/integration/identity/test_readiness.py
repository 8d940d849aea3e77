"""What the service needs to be ready."""

from integration.identity.running_identity import Identity


async def test_the_service_is_ready_only_with_its_key_database(identity: Identity) -> None:
    whole = await identity.health.readiness()
    assert (whole.ready, whole.checks["key_database"]) == (True, True)
    await identity.parts.vault.close()
    broken = await identity.health.readiness()
    assert (broken.ready, broken.checks["key_database"]) == (False, False)
