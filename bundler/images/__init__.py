"""Images that no archive holds: found in registries, by way of mirrors, or in a local engine.

`sources` is the way in: it knows which `ImageSource` an entry of the spec names. `registry` pulls,
with `choice` where only some platforms are wanted and `mirrors` where others are asked first;
`engine` saves what exists in a local Docker or Podman alone.
"""

from bundler.images.found import Found, ImageSource
from bundler.images.mirrors import Mirror
from bundler.images.sources import Images

__all__ = ["Found", "ImageSource", "Images", "Mirror"]
