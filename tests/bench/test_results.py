from bench.results import processor


def test_the_processor_is_named_by_its_model() -> None:
    assert (
        processor("processor\t: 0\nmodel name\t: Some CPU @ 3.00GHz\nprocessor\t: 1\n")
        == "Some CPU @ 3.00GHz"
    )


def test_without_a_model_the_machine_type_names_it() -> None:
    assert processor("processor\t: 0\nBogoMIPS\t: 50.00\n")
