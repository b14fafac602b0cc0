"""Reference solution of 03_1.2."""


def tie(picture_shown, picture_said, sound_shown, sound_said):
    picture, sound = picture_shown - picture_said, sound_said - sound_shown
    if picture + sound == 0:
        return None
    weight = picture / (picture + sound)
    return weight if 0 <= weight <= 1 else None
