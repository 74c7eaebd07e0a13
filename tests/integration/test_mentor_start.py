"""What is made at first use is made before the first user comes."""

import subprocess
import sys
from pathlib import Path

FIRST_REQUESTS = """
import sys
from mentor.dependencies import Engines
from mentor.settings import MentorSettings
from mentor_service import Service
from serinus import DeploymentVersion

opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
with Service.of(Engines(MentorSettings(database_url=sys.argv[1])), DeploymentVersion(sys.argv[2])) as service:
    before = len(opened)
    for text in ("How do I undo a commit?", "혼자인 것 같아서 힘들어요. 어떻게 하면 좋을까요?"):
        service.recommend(text)
        session_id = service.start()
        service.say(session_id, text)
words = [path for path in opened if path.endswith((".toml", ".npz"))]
late = [path for path in opened[before:] if path in words]
print(len(words), late)
"""


def test_no_request_reads_a_file_of_words_or_weights(tmp_path: Path) -> None:
    for version in ("legacy", "canary"):
        database = f"sqlite+aiosqlite:///{tmp_path / version}.db"
        program = [sys.executable, "-c", FIRST_REQUESTS, database, version]
        told = subprocess.run(program, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
        at_start, late = told.split(maxsplit=1)
        assert int(at_start) >= 5
        assert late == "[]\n"
