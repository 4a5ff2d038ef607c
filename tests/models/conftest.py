"""A server that speaks as a provider does, and a model for each protocol."""

from collections.abc import AsyncIterator, Iterator

import certifi
import pytest
from model_protocols import PROTOCOLS, Protocol
from model_server import ModelServer

from interlock.models.provided import ProvidedModel


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one authority instead of all: nothing here is encrypted, and an SDK reads the list for every client."""
    file = tmp_path_factory.mktemp("trust") / "one.pem"
    end = "-----END CERTIFICATE-----\n"
    file.write_text(certifi.contents().partition(end)[0] + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    one = ModelServer()
    await one.open()
    yield one
    await one.close()


@pytest.fixture(params=PROTOCOLS, ids=lambda one: one.name)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return request.param


@pytest.fixture
async def model(server: ModelServer, protocol: Protocol) -> AsyncIterator[ProvidedModel]:
    one = protocol.model(server.url)
    yield one
    await one.aclose()
