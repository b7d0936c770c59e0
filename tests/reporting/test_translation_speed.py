"""Measuring translation: an exported model is measured in a process without torch."""

import subprocess
import sys
from pathlib import Path

from reversal_task import Learnt, reversals

from seq2seq.onnx.export import export

ROOT = Path(__file__).resolve().parent.parent.parent
MEASURE = """
import sys
from pathlib import Path
from seq2seq.reporting.translation_speed import measure_translating
row = measure_translating(Path(sys.argv[1]), Path(sys.argv[2]), beam=2, threads=1)
assert row["words_per_s"] > 0, row
assert "onnxruntime" in sys.modules
assert "torch" not in sys.modules
"""


def test_an_exported_model_is_measured_without_torch(learnt: Learnt, tmp_path: Path) -> None:
    export(learnt.folder, tmp_path / "onnx", "onnx")
    text = tmp_path / "text"
    text.write_text("".join(f"{pair.src}\n" for pair in reversals(3)), encoding="utf-8")
    subprocess.run([sys.executable, "-c", MEASURE, tmp_path / "onnx", text], check=True, cwd=ROOT)
