from layer_checks import check_layer, old_case, old_cases


@old_cases("norm")
def test_as_the_old_layer(case, tmp_path):
    known = old_case(case)
    # The small package's default, which old files do not always name.
    known["arguments"] = {"epsilon": 1e-14}
    check_layer(**known, tmp_path=tmp_path)
