"""The two calls, under the addresses that the gateway gives them."""

from django.urls import path, re_path

from branches_peer.views import CosignView, MyRecordView

urlpatterns = [
    path("v1/me/record", MyRecordView.as_view()),
    re_path(r"^v1/foundings/(?P<founding_id>[0-9a-z]{26}):cosign$", CosignView.as_view()),
]
