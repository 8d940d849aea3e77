-- The list that members signed by hand, when the branch's report stands on one (for state countersigned).
alter table survey_answer add column signed_list_number text not null default '';
