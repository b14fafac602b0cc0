// A file of the reader: its size is checked here, because a message of more than 10 MB would end the connection.
function render({ model, el }) {
  el.classList.add("mm-upload");
  const label = document.createElement("label"), input = document.createElement("input"), words = document.createElement("span");
  input.type = "file"; input.accept = model.get("accept"); input.dataset.testid = "upload"; words.textContent = model.get("label");
  label.append(words, input); el.append(label);
  const send = async (file) => {
    if (!file) return;
    if (file.size > model.get("limit")) return model.send({ type: "refused", name: file.name, size: file.size });
    model.send({ type: "file", name: file.name }, undefined, [await file.arrayBuffer()]);
    input.value = ""; // the same file may be chosen again
  };
  input.addEventListener("change", () => send(input.files[0]));
  label.addEventListener("dragover", (e) => e.preventDefault());
  label.addEventListener("drop", (e) => { e.preventDefault(); send(e.dataTransfer.files[0]); });
}
export default { render };
