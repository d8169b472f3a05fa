/** Configurations know the directories in front of PATH; before, the whole PATH was among their variables. */
export const binPaths = `
  UPDATE apps SET config_json = json_set(config_json, '$.binPaths', json('[]'));
  UPDATE releases SET config_json = json_set(config_json, '$.binPaths', json('[]'));
`;
