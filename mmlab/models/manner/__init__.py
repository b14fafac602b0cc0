"""How an input is drawn or spoken, whatever it shows or says: is that like what was learned?"""

from mmlab.models.manner.base import Manner
from mmlab.models.manner.picture import PictureManner
from mmlab.models.manner.sound import SoundManner

MANNERS: dict[str, type[Manner]] = {"image": PictureManner, "audio": SoundManner}

__all__ = ["MANNERS", "Manner", "PictureManner", "SoundManner"]
