"""Django (ASGI): one project, two sets of URLs. `serinus serve django_two_urlconfs:app` in this folder."""

from collections.abc import Callable

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from serinus import DeploymentVersion, Options, application, current_version, subject


def total(_request: HttpRequest, quantity: int) -> HttpResponse:
    return JsonResponse({"total": 10 * quantity})


def total_and_each(_request: HttpRequest, quantity: int) -> HttpResponse:
    return JsonResponse({"total": 10 * quantity, "each": 10 * quantity // quantity})  # fails for none


urlpatterns = (path("totals/<int:quantity>", total),)
canary_urlpatterns = (path("totals/<int:quantity>", total_and_each),)


def by_version(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if current_version() is DeploymentVersion.CANARY:
            request.urlconf = canary_urlpatterns
        return get_response(request)

    return middleware


settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=[f"{__name__}.by_version"], ALLOWED_HOSTS=["*"])
project = get_asgi_application()
app = application(
    legacy=project,
    canary=project,
    subject=subject.cookie("sessionid"),
    options=Options(endpoints=("/totals/{quantity:int}",)),  # Django lists no routes that could be collected
)
