"""Runs the tests with unittest and writes what came of them as JUnit XML, which unittest does not by itself."""
import sys
import time
import unittest
from pathlib import Path
from xml.etree import ElementTree as xml

ROOT = Path(__file__).resolve().parent.parent


class Report(unittest.TextTestResult):
    """The usual result, which keeps an element for each test besides."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.suite = xml.Element("testsuite", name="unittest")

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        kind, name = test.id().rsplit(".", 1)
        self.case = xml.SubElement(self.suite, "testcase", classname=kind, name=name)

    def stopTest(self, test):
        self.case.set("time", f"{time.monotonic() - self.began:.3f}")
        super().stopTest(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell("failure", str(err[1]), self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        # Of a class or a module that could not be set up there is no test that has begun.
        if getattr(self, "case", None) is None:
            self.case = xml.SubElement(self.suite, "testcase", classname="unittest", name=str(test))
        self.tell("error", str(err[1]), self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell("skipped", reason)

    def tell(self, what, message, text=""):
        xml.SubElement(self.case, what, message=message).text = text


def main(path: str) -> int:
    sys.path.insert(0, str(ROOT))
    tests = unittest.defaultTestLoader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
    result = unittest.TextTestRunner(verbosity=2, resultclass=Report).run(tests)
    result.suite.set("tests", str(result.testsRun))
    xml.ElementTree(result.suite).write(path, encoding="utf-8", xml_declaration=True)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
