"""Whether Login with Amazon takes the application and the seller's authorisation of it."""

import requests

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.sources.sp_api.settings import SpApiSettings

_TIMEOUT_SECONDS = 5
_REFUSED = {
    "invalid_client": "Correct VP_SP_API_CLIENT_ID and VP_SP_API_CLIENT_SECRET.",
    "invalid_grant": "Correct VP_SP_API_REFRESH_TOKEN: the seller has to authorise the application again.",
}


def account(settings: SpApiSettings) -> str:
    """A sentence on the access token that was issued; no order is requested.

    Raises:
        PermanentError: Amazon refuses the application or the refresh token.
        TransientError: it does not respond.
    """
    secrets = (settings.client_id, settings.client_secret, settings.refresh_token)
    client, secret, refresh = (value.get_secret_value() if value else "" for value in secrets)
    form = {"grant_type": "refresh_token", "client_id": client, "client_secret": secret, "refresh_token": refresh}
    try:
        response = requests.post(str(settings.token_url), data=form, timeout=_TIMEOUT_SECONDS)
        found = response.json()
    except (requests.RequestException, ValueError) as error:
        raise TransientError(f"{settings.token_url} gives no response of Amazon's ({type(error).__name__}).") from None
    if response.status_code != 200 or not isinstance(found.get("access_token"), str):
        reason = str(found.get("error"))
        remedy = _REFUSED.get(reason, "Correct VP_SP_API_TOKEN_URL.")
        raise PermanentError(f"Login with Amazon refuses ({reason}, HTTP {response.status_code}). {remedy}")
    return f"Login with Amazon issues access tokens for {found.get('expires_in')} s, region {settings.region}"
