"""The knobs of a JointSpace: they hold values and know which of them make sense now; what they do lies elsewhere."""

import ipywidgets as widgets
import traitlets

from mmlab.widgets.labels import SPACE
from mmlab.widgets.space_state import FORMS, SpaceState
from mmlab.widgets.upload import Upload
from mmlab.widgets.view import SpaceView

NARROW = {"description_width": "auto"}


class Controls:
    """Rows of ipywidgets above the map."""

    def __init__(self, state: SpaceState, view: SpaceView) -> None:
        self.state = state
        self.colour = widgets.Dropdown(
            options=[(SPACE["columns"].get(name, name), name) for name in state.columns],
            value=state.colour, description=SPACE["colour"], style=NARROW, layout=widgets.Layout(width="190px"),
        )  # fmt: skip
        self.map = widgets.Dropdown(
            options=[(SPACE["maps"][kind], kind) for kind in state.maps],
            description=SPACE["map"], style=NARROW, layout=widgets.Layout(width="230px"),
        )  # fmt: skip
        self.pairs = widgets.Dropdown(
            options=[(words, value) for value, words in SPACE["pairs"].items()],
            description=SPACE["lines"], style=NARROW, layout=widgets.Layout(width="190px"),
        )  # fmt: skip
        last = len(state.training.steps) - 1 if state.training is not None else 0
        self.step = widgets.IntSlider(
            value=last, min=0, max=last, description=SPACE["step"], readout=False, layout=widgets.Layout(width="320px")
        )
        state.moment = last
        self.refit = widgets.Button(description=SPACE["refit"], layout=widgets.Layout(width="auto"))
        self.progress = widgets.IntProgress(
            min=0, max=100, description=SPACE["fitting"], layout=widgets.Layout(width="160px", display="none")
        )
        self.text = widgets.Text(
            placeholder=SPACE["search_hint"], description=SPACE["search"], continuous_update=False,
            style=NARROW, layout=widgets.Layout(width="300px"),
        )  # fmt: skip
        self.upload = Upload(SPACE["upload"], view=view)
        self.clear = widgets.Button(description=SPACE["clear"], layout=widgets.Layout(width="auto"))
        shown = {name for name, form in FORMS.items() if form in state.forms} if state.shelf is not None else ()
        self.forms = {
            name: widgets.Checkbox(
                name in shown,
                description=SPACE["forms"][name],
                indent=False,
                layout=widgets.Layout(width="auto", margin="2px 14px 2px 2px"),
            )
            for name in (FORMS if state.shelf is not None else ())
        }
        traitlets.link((self.pairs, "value"), (view, "pairs"))
        wrap = widgets.Layout(flex_flow="row wrap", align_items="center")
        self.rows = [
            widgets.HBox([self.colour, self.map, self.pairs, self.step, self.refit, self.progress], layout=wrap),
            *([widgets.HBox([self.text, self.upload, self.clear], layout=wrap)] if state.model is not None else []),
            *([widgets.HBox(list(self.forms.values()), layout=wrap)] if self.forms else []),
        ]
        self.follow()

    def follow(self) -> None:
        """Shows the knobs that have a meaning on the present map, and hides the others."""
        training = self.state.map == "training"
        self.step.layout.display = "" if training else "none"
        self.refit.layout.display = "" if self.state.map == "umap" else "none"
        for box in self.forms.values():
            box.disabled = training
