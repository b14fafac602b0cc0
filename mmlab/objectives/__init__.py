"""What the embeddings are trained for: pure functions of them, and the one learned number, the temperature."""

from mmlab.objectives.contrastive import (
    anchored_info_nce,
    info_nce,
    multi_view_info_nce,
    siglip,
    triplet,
    weighted_multi_view_info_nce,
)
from mmlab.objectives.temperature import LogitScale

OBJECTIVES = {
    "info_nce": info_nce,
    "multi_view_info_nce": multi_view_info_nce,
    "weighted_multi_view_info_nce": weighted_multi_view_info_nce,
    "anchored_info_nce": anchored_info_nce,
    "siglip": siglip,
    "triplet": triplet,
}

__all__ = ["OBJECTIVES", "LogitScale", *OBJECTIVES]
