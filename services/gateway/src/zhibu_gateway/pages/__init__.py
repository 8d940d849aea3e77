"""Pages of the gateway itself: health, the OpenAPI document, the reference for people, and what errors mean."""
